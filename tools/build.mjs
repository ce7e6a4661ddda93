// Bundles what has to start fast: the CLI, the daemon and the supervisor. Runs on any Node that npm runs on.
import { build } from 'esbuild'
import { existsSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleCli } from './bundle-cli.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const entries = {
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
  supported: { 'dynamic-import': false },
})
await copyFile(root + 'tools/berth-loader.cjs', root + 'dist/berth.cjs')
const node = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')
await bundleCli(root, existsSync(node) ? node : undefined)
