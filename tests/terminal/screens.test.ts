import assert from 'node:assert/strict'
import { mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, test } from 'node:test'
import { Cli, startDockerRegistry, Terminal, until, useEngine } from '@berth/testing'

/** What is drawn: live screens, bars, colours, tables; and what of it is left in a pipe. */
const engine = useEngine()
const cli = new Cli('berth', engine)
const name = engine.name()
const escape = '\u001B'
const colour = new RegExp(`${escape}\\[[0-9;]*[1-9][0-9;]*m`)
/** The whole screen is cleared: seen as a flicker when it happens for each frame. */
const clears = [`${escape}[H${escape}[J`, `${escape}[2J`, `${escape}c`]

let isMade = false
beforeEach(async () => {
  if (isMade) return
  isMade = true
  await cli.ok('run', '-d', '--name', name, '--label', 'a=b', 'busybox', 'sleep', '1000')
})

test('stats redraws without clearing the screen for each frame, and a control-C ends it', async () => {
  using terminal = new Terminal({ env: cli.env, columns: 120 })
  terminal.run(`${cli.file} stats; echo code=$?`)
  await terminal.shows(/^CONTAINER ID +NAME +CPU %/m)
  const start = terminal.raw().length
  await until(() => terminal.raw().slice(start).split('CONTAINER ID').length > 4)
  const frames = terminal.raw().slice(start)
  assert.deepEqual(
    clears.filter((sequence) => frames.includes(sequence)),
    [],
  )
  terminal.type('\u0003')
  await terminal.finish('true')
  assert.match((await terminal.finish('stty -a')).screen, / icanon[^]* echo /)
})

test('stats fits in 80 columns', async () => {
  using terminal = new Terminal({ env: cli.env })
  const { screen } = await terminal.finish(`${cli.file} stats --no-stream`)
  const rows = screen.split('\n').filter((row) => row.trim() !== '')
  assert.match(rows[0] ?? '', /^CONTAINER ID +NAME +CPU % +MEM USAGE/)
  assert.equal(rows.length - 1, (await cli.ok('ps', '-q')).split('\n').length, `no row is wrapped\n${screen}`)
})

test('stats in a pipe prints plain tables, without colours or cursor movements when it is asked for one', async () => {
  const { stdout } = await cli.run(['stats', '--no-stream'])
  assert.ok(stdout.startsWith('CONTAINER ID') && !stdout.includes(escape), stdout)
})

test('ps and images fit in 80 columns', async () => {
  using terminal = new Terminal({ env: cli.env })
  for (const line of ['ps -a', 'images', 'volume ls', 'network ls', 'container ls', 'image ls']) {
    const { screen } = await terminal.finish(`${cli.file} ${line} | awk '{ print length($0) }' | sort -n | tail -1`)
    const onTerminal = await terminal.finish(`${cli.file} ${line}`)
    const rows = onTerminal.screen.split('\n')
    const [header = '', ...more] = rows
    assert.ok(more.length > 0 || line === 'volume ls', `${line}: ${screen}`)
    assert.ok(
      rows.every((row) => row.trimEnd().length <= 80),
      `${line}\n${rows.join('\n')}`,
    )
    const listed = line.startsWith('volume') ? 0 : Number((await cli.ok(...line.split(' '), '-q')).split('\n').length)
    assert.equal(more.length, listed, `${line}: no row is wrapped\n${header}\n${more.join('\n')}`)
  }
})

test('NO_COLOR and pipes have no escape sequences', async () => {
  for (const line of [
    'ps',
    'ps --tree',
    'images',
    'system map',
    'system df',
    'info',
    '--help',
    'run --help',
    'doctor',
  ]) {
    const { stdout, stderr } = await cli.run(line.split(' '))
    assert.ok(!(stdout + stderr).includes(escape), line)
  }
  using terminal = new Terminal({ env: { ...cli.env, NO_COLOR: '1' }, columns: 120 })
  for (const line of ['ps --tree', 'system map', 'doctor']) {
    const start = terminal.raw().length
    await terminal.finish(`${cli.file} ${line}`)
    assert.doesNotMatch(terminal.raw().slice(start), colour, line)
  }
})

test('push, pull, load, save and build show their progress on a terminal, and plain lines in a pipe', async () => {
  await using registry = await startDockerRegistry(engine.daemon!.sandbox)
  const image = `${registry.host}/busy:1`
  await cli.ok('tag', 'busybox', image)
  using terminal = new Terminal({ env: cli.env, columns: 130, rows: 40 })
  const file = `${engine.folder}/image.tar`
  const steps = [
    [`push ${image}`, /Pushed|Layer already exists/],
    [`rmi ${image}`, /Untagged/],
    [`pull ${image}`, /Status: (Downloaded newer image|Image is up to date)/],
    [`save -o ${file} busybox`, /^$/],
    [`load -i ${file}`, /Loaded image: busybox:latest/],
  ] as const
  for (const [line, shows] of steps) {
    const { code, screen } = await terminal.finish(`${cli.file} ${line}`)
    assert.equal(code, 0, screen)
    assert.match(screen, shows, line)
    const { stdout, stderr } = await cli.run(line.split(' '))
    assert.ok(![escape, '\r'].some((one) => (stdout + stderr).includes(one)), line)
  }
  const refused = await terminal.finish(`${cli.file} save busybox`)
  assert.deepEqual([refused.code, /cowardly refusing to save to a terminal/i.test(refused.screen)], [1, true])
})

test('build draws its steps over themselves in the width that there is, and a control-C ends it at once', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'berth-screen-'))
  const step = 'echo a-line-of-output; sleep 1000; echo this-command-is-much-too-long-for-a-narrow-terminal'
  writeFileSync(join(folder.path, 'Dockerfile'), `FROM busybox\nRUN ${step}\n`)
  using terminal = new Terminal({ env: cli.env, columns: 60 })
  const start = terminal.raw().length
  terminal.run(`${cli.file} build --no-cache ${folder.path}; echo code=$?`)
  await terminal.shows(/^ => => # a-line-of-output/m)
  const screen = terminal.screen()
  assert.match(screen, /^\[\+\] Building +[\d.]+s \(\d+\/\d+\) +docker:default$/m)
  assert.match(screen, /^ => \[2\/2\] RUN echo a-line-of-output; sleep.*… +\d+\.\ds$/m)
  const frames = () => terminal.raw().slice(start)
  await until(() => frames().split('Building').length > 5)
  assert.deepEqual(
    clears.filter((sequence) => frames().includes(sequence)),
    [],
  )
  terminal.type('\u0003')
  await terminal.shows(/^ERROR: failed to build: [^]*context\s+canceled\s+code=130$/m)
  assert.match((await terminal.finish('stty -a')).screen, / icanon[^]* echo /)
})

test('build shows no colours where NO_COLOR asks for none, and lines in a pipe', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'berth-screen-'))
  writeFileSync(join(folder.path, 'Dockerfile'), 'FROM busybox\nMAINTAINER me\nRUN true\n')
  using terminal = new Terminal({ env: { ...cli.env, NO_COLOR: '1' }, columns: 100 })
  const start = terminal.raw().length
  const { screen } = await terminal.finish(`${cli.file} build ${folder.path}`)
  assert.match(screen, /FINISHED +docker:default[^]* 1 warning found/)
  assert.doesNotMatch(terminal.raw().slice(start), colour)
  const { stderr } = await cli.run(['build', folder.path])
  assert.match(stderr, /^#\d+ CACHED$/m)
  assert.ok(!stderr.includes(escape))
})
