// Bundles what has to start fast: the CLI, the daemon and the supervisor. Runs on any Node that npm runs on.
import { build } from 'esbuild'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { copyFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const entries = {
  'berth-main': 'packages/apps/cli/src/index.ts',
  daemon: 'packages/apps/daemon/src/main.ts',
  supervisor: 'packages/services/runtime/src/supervisor/main.ts',
  registry: 'packages/apps/registry/src/main.ts',
  'registry-password-worker': 'packages/apps/registry/src/access/password-worker.ts',
  'layer-worker': 'packages/services/storage/src/layers/worker.ts',
}
const present = Object.entries(entries).filter(([, file]) => existsSync(root + file))
await build({
  entryPoints: Object.fromEntries(present.map(([name, file]) => [name, root + file])),
  outdir: root + 'dist',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  target: 'node26',
  format: 'cjs',
  external: ['koffi'],
  minify: true,
  keepNames: false,
  legalComments: 'none',
  logLevel: 'warning',
  logOverride: { 'empty-import-meta': 'silent' }, // sources fall back to __filename there
  supported: { 'dynamic-import': false }, // require() instead: the CLI's loader compiles without a module loader
})
await copyFile(root + 'tools/berth-loader.cjs', root + 'dist/berth.cjs')
await warmUp(join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node'))

/** Runs the CLI once by the pinned Node, against an engine of empty answers, so that it leaves its code cache and its version behind. */
async function warmUp(node) {
  if (!existsSync(node)) return
  const directory = mkdtempSync(join(tmpdir(), 'berth-build-'))
  const socket = join(directory, 'engine.sock')
  const engine = createServer((request, response) => {
    request.resume()
    response.end(request.url.includes('/create') ? '{"Id":"x","Warnings":[]}' : '[]')
  })
  await new Promise((resolve) => engine.listen(socket, resolve))
  const run = promisify(execFile)
  const env = { BERTH_HOST: `unix://${socket}`, BERTH_CONFIG: directory }
  const bundle = root + 'dist/berth.cjs'
  await run(node, ['--no-warnings', bundle], { env: { ...env, BERTH_WRITE_CODE_CACHE: '1' } })
  await writeFile(root + 'dist/version', (await run(node, ['--no-warnings', bundle, '--version'], { env })).stdout)
  engine.close()
  rmSync(directory, { recursive: true })
}
