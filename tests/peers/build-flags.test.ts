import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command } from '@berth/testing'
import { startBuildx } from './buildx-client.ts'

/** Flags of `build` with values that are odd, empty or wrong: what `docker buildx build` and ours make of them. */
const berth = process.env['BERTH_CLI'] ?? fileURLToPath(new URL('../../bin/berth', import.meta.url))
const { client } = await startBuildx()

const lines = readFileSync(new URL('script/build-flags.txt', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
const files = {
  Dockerfile: 'FROM busybox AS one\nRUN echo hi\nFROM one AS two\nRUN echo two\n',
  file: 'x',
  's.key': 'no key',
}

/** Exit code, standard output, and what is said at the end: how builds are told of is compared elsewhere. */
async function say(program: 'docker' | 'berth', folder: string, words: readonly string[]) {
  const file = program === 'berth' ? berth : client.docker
  // Without the plugin's folder: with it, `berth buildx` is the plugin.
  const env = {
    ...client.env,
    SSH_AUTH_SOCK: '',
    ...(program === 'berth' && { BERTH_CONFIG: folder, DOCKER_CONFIG: folder }),
  }
  const { code, stdout, stderr } = await command(file, ['buildx', 'build', ...words], { cwd: folder, env })
  const told = stderr
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  // Versions of docker's programs differ in what they let an operating system be called.
  const end = told.at(-1)?.replace(/must match ".*": /, 'must match PATTERN: ')
  if (stderr.includes('Usage:')) return { code, stdout, end: told.join('\n').replaceAll('docker', 'berth') }
  return { code, stdout, end: code === 0 ? '' : end }
}

for (const line of lines) {
  test(`buildx build ${line}`, async () => {
    const words = line.split(' ').map((word) => (word === "''" ? '' : word.replaceAll('_', ' ')))
    const folder = client.context(files)
    assert.deepEqual(await say('berth', folder, words), await say('docker', folder, words))
  })
}
