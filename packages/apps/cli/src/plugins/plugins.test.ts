import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const folder = mkdtempSync(join(tmpdir(), 'berth-plugins-'))
const directory = join(folder, 'cli-plugins')
const main = fileURLToPath(new URL('../main.ts', import.meta.url))
after(() => rmSync(folder, { recursive: true }))

interface Result {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function berth(args: readonly string[], env: Record<string, string> = {}): Promise<Result> {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const usual = { PATH, NODE_COMPILE_CACHE, DOCKER_CONFIG: folder }
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--no-warnings', main, ...args],
      { env: { ...usual, ...env } },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    )
  })
}

/** A plugin that prints its arguments and the engine that it would talk to. */
function install(name: string): void {
  const metadata = JSON.stringify({
    SchemaVersion: '0.1.0',
    Vendor: 'V',
    Version: '1',
    ShortDescription: `Does ${name}`,
  })
  const script = `#!/bin/sh
[ "$1" = docker-cli-plugin-metadata ] && { echo '${metadata}'; exit; }
echo "$*|$DOCKER_HOST|$DOCKER_CONTEXT|$DOCKER_CONFIG"
exit 7
`
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, `docker-${name}`), script)
  chmodSync(join(directory, `docker-${name}`), 0o755)
}

test('berth runs a plugin with its arguments, its exit code, and our engine', async () => {
  install('greet')
  const host = { BERTH_HOST: 'unix:///x.sock' }
  const result = await berth(['-l', 'debug', 'greet', '-x', 'a b'], host)
  assert.deepEqual(result, { code: 7, stdout: `-l debug greet -x a b|unix:///x.sock||${folder}\n`, stderr: '' })
  const remote = await berth(['-c', 'far', 'greet'], host)
  assert.equal(remote.stdout, `-c far greet||far|${folder}\n`)
})

test('without buildx the commands that the engine can answer itself are there', async () => {
  const lines = ['builder du --help', 'buildx du --help', 'buildx bake --help', 'buildx create']
  const [own, alias, bake, create] = await Promise.all(lines.map((line) => berth(line.split(' '))))
  assert.match(own!.stdout, /Usage: {2}berth builder du/)
  assert.match(alias!.stdout, /Usage: {2}berth buildx du/)
  assert.match(bake!.stdout, /Usage: {2}berth buildx bake/)
  assert.match(create!.stderr, /is of a plugin that is not installed\n\nPut docker-buildx into /)
})

test('berth lists plugins in its help, and lets buildx do what is asked of it by name or by an alias', async () => {
  install('buildx')
  assert.match((await berth(['--help'])).stdout, /^ {2}buildx\* +Does buildx\n/m)
  const called = async (line: string) => (await berth(line.split(' '))).stdout.split('|')[0]
  assert.equal(await called('buildx ls'), 'buildx ls')
  assert.match((await berth(['build', '--help'])).stdout, /^Usage: {2}berth build /)
  writeFileSync(join(folder, 'config.json'), '{"aliases":{"builder":"buildx"}}')
  const lines = ['build -t x .', 'image build .', 'builder ls']
  const calls = await Promise.all(lines.map(called))
  assert.deepEqual(calls, ['buildx build -t x .', 'buildx build .', 'buildx ls'])
  rmSync(join(folder, 'config.json'))
})

test('berth says what to install for a plugin that is absent, and what a mistyped word may have meant', async () => {
  const lines = ['compose up', 'imges', 'network lss', 'ps --no-trun']
  const [absent, typo, child, flag] = await Promise.all(lines.map((line) => berth(line.split(' '))))
  assert.equal(absent!.code, 1)
  assert.match(absent!.stderr, /^berth: 'compose' is a plugin that is not installed\n\nPut docker-compose into /)
  assert.equal(typo!.code, 1)
  assert.match(typo!.stderr, /^berth: unknown command: berth imges\n\nDid you mean this\?\n {2}images\n/)
  assert.match(child!.stderr, /^berth: unknown command: berth network lss\n\nDid you mean this\?\n {2}ls\n/)
  assert.equal(flag!.code, 125)
  assert.match(flag!.stderr, /^unknown flag: --no-trun\nDid you mean --no-trunc\?\n\nUsage: {2}berth ps \[OPTIONS\]/)
})
