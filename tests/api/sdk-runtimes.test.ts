import assert from 'node:assert/strict'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, test } from 'node:test'
import { build } from 'esbuild'
import { command, useEngine } from '@berth/testing'
import { exampleFile, examples, runInside } from './sdk-examples.ts'

/** The SDK's examples on what else its users have: an older Node, Bun and Deno, all from npm. */
const engine = useEngine()
const folder = fileURLToPath(new URL('runtimes/', import.meta.url))
const x64 = process.arch === 'x64'
const program = (path: string): string => join(folder, 'node_modules', path)

const runtimes: Readonly<Record<string, readonly string[]>> = {
  'Node 22': [program(`node-linux-${process.arch}/bin/node`)],
  Bun: [program(`@oven/bun-linux-${x64 ? 'x64' : 'aarch64'}/bin/bun`), 'run'],
  Deno: [program(`@deno/linux-${process.arch}-glibc/deno`), 'run', '--quiet', '--allow-all', '--no-config'],
}

let isInstalled = false
beforeEach(async () => {
  if (isInstalled) return
  isInstalled = true
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  const { code, stderr } = await command('npm', args, { cwd: folder, timeoutMs: 300_000 })
  assert.equal(code, 0, stderr)
})

for (const [name, runtime] of Object.entries(runtimes)) {
  describe(name, () => {
    for (const [example, printed] of examples) {
      test(`runs the example ${example}, bundled for Node 22`, async () => {
        const bundle = join(engine.folder, `${example}.mjs`)
        const options = {
          bundle: true,
          platform: 'node',
          format: 'esm',
          target: 'node22',
          logLevel: 'warning',
        } as const
        await build({ ...options, entryPoints: [exampleFile(example)], outfile: bundle })
        const env = { DENO_DIR: join(engine.folder, 'deno'), DENO_NO_UPDATE_CHECK: '1' }
        assert.match(await runInside(engine, [...runtime, bundle], env), printed)
        assert.deepEqual(await engine.api.json('GET', '/containers/json?all=1'), [])
      })
    }
  })
}

test('Bun runs the examples as they are written', async () => {
  for (const [example, printed] of examples) {
    assert.match(await runInside(engine, [...runtimes['Bun']!, exampleFile(example)]), printed)
  }
})

test("Bun passes the client's own tests of connections", async () => {
  const file = fileURLToPath(new URL('../../packages/system/engine-client/src/transport.test.ts', import.meta.url))
  const { code, stderr } = await command(runtimes['Bun']![0]!, ['test', file])
  assert.equal(code, 0, stderr)
  assert.match(stderr, /^ 0 fail$/m)
})
