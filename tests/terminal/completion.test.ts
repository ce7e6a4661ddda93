import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, test } from 'node:test'
import { Cli, Terminal, useEngine } from '@berth/testing'

/** Completion as a user has it: a real shell, the tabulator key, and what stands on the line then. */
const engine = useEngine({ images: ['busybox', 'hello-world'] })
const cli = new Cli('berth', engine)

let isMade = false
beforeEach(async () => {
  if (isMade) return
  isMade = true
  const folder = join(engine.folder, 'bin')
  mkdirSync(folder)
  writeFileSync(join(folder, 'berth'), `#!/bin/sh\nexec ${cli.file} "$@"\n`)
  chmodSync(join(folder, 'berth'), 0o755)
  await cli.ok('run', '-d', '--name', 'web-alpha', 'busybox', 'sleep', '1000')
  await cli.ok('create', '--name', 'web-beta', 'busybox')
  await cli.ok('network', 'create', 'front-net')
  await cli.ok('volume', 'create', 'data-vol')
})

interface Shell {
  readonly command: string
  /** Makes the completion known. */
  readonly setUp: string
}

const shells: Readonly<Record<string, Shell>> = {
  bash: { command: 'bash --norc --noprofile -i', setUp: 'source <(berth completion bash)' },
  zsh: { command: 'zsh -f -i', setUp: 'autoload -Uz compinit; compinit -u -D; source <(berth completion zsh)' },
  fish: { command: 'fish --no-config -i', setUp: 'berth completion fish | source' },
}

/** What is typed before the tabulator, and what stands there after it. */
const cases: readonly (readonly [typed: string, completed: string])[] = [
  ['berth netw', 'berth network'],
  ['berth network ins', 'berth network inspect'],
  ['berth exec web-', 'berth exec web-alpha'],
  ['berth start web-', 'berth start web-beta'],
  ['berth rm -f web-b', 'berth rm -f web-beta'],
  ['berth run --rm hello-', 'berth run --rm hello-world'],
  ['berth network rm fro', 'berth network rm front-net'],
  ['berth volume rm dat', 'berth volume rm data-vol'],
  ['berth run --network fro', 'berth run --network front-net'],
  ['berth run --read-o', 'berth run --read-only'],
  ['berth run --rm busybox:', 'berth run --rm busybox:latest'],
  ['berth run --rm busybox:la', 'berth run --rm busybox:latest'],
  ['berth run --network=fro', 'berth run --network=front-net'],
]

for (const [name, { command, setUp }] of Object.entries(shells)) {
  describe(name, () => {
    test('completes commands, flags, and the names of containers, images, networks and volumes', async () => {
      const env = { ...cli.env, PATH: `${join(engine.folder, 'bin')}:${process.env['PATH']}`, TERM: 'screen' }
      using terminal = new Terminal({ command, columns: 120, env: { ...env, HOME: engine.folder, PS1: '> ' } })
      terminal.run(`${setUp} && echo set-up-0`)
      await terminal.shows(/^set-up-0/m)
      for (const [typed, completed] of cases) {
        terminal.run('clear')
        terminal.type(typed)
        await terminal.shows(new RegExp(`${typed}`))
        terminal.type('\t')
        await terminal.shows(new RegExp(`${completed}( |$)`, 'm'))
        terminal.type('\u0003')
      }
    })

    test('lists what there is to choose from', async () => {
      const env = { ...cli.env, PATH: `${join(engine.folder, 'bin')}:${process.env['PATH']}`, TERM: 'screen' }
      using terminal = new Terminal({ command, columns: 120, env: { ...env, HOME: engine.folder, PS1: '> ' } })
      terminal.run(`${setUp} && echo set-up-0`)
      await terminal.shows(/^set-up-0/m)
      terminal.run('clear')
      terminal.type('berth inspect web-')
      await terminal.shows(/inspect web-/)
      terminal.type('\t\t')
      for (const listed of [/web-alpha/, /web-beta/]) await terminal.shows(listed)
    })
  })
}

test('an answer takes no longer than a listing', async () => {
  const times: Record<string, number[]> = { complete: [], ps: [] }
  for (let round = 0; round < 15; round++) {
    for (const [what, args] of [
      ['complete', ['__complete', '--', 'stop', '']],
      ['ps', ['ps', '-q']],
    ] as const) {
      const start = performance.now()
      assert.equal((await cli.run(args)).code, 0)
      times[what]!.push(performance.now() - start)
    }
  }
  const median = (numbers: readonly number[] = []): number =>
    numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0
  console.log(`completion ${median(times['complete']).toFixed(1)} ms, ps -q ${median(times['ps']).toFixed(1)} ms`)
  assert.ok(median(times['complete']) < median(times['ps']) * 1.5)
})
