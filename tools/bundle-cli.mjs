// Bundles the CLI in chunks: those that common commands load are one file with V8's code cache, the others another. What is
// taken from a cache costs by its size, though little of it runs.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build, transform } from 'esbuild'

const run = promisify(execFile)
const common = { platform: 'node', target: 'node26', minify: true, legalComments: 'none' }

/** Writes dist/berth-main and berth-rest; with a Node to run them, their caches, and the version. */
export async function bundleCli(root, node) {
  const dist = join(root, 'dist')
  const chunks = await makeChunks(root)
  await writeFiles(dist, chunks, () => false)
  if (node === undefined) return
  await withEmptyEngine(async (env) => {
    const bundle = join(dist, 'berth.cjs')
    const start = (mode) => run(node, ['--no-warnings', bundle], { env: { ...env, BERTH_BUILD: mode } })
    await start('list')
    const list = join(dist, 'chunks.json')
    const loaded = new Set(JSON.parse(readFileSync(list, 'utf8')))
    rmSync(list)
    await writeFiles(dist, chunks, (id) => loaded.has(id))
    await start('cache')
    const { stdout } = await run(node, ['--no-warnings', bundle, '--version'], { env })
    await writeFile(join(dist, 'version'), stdout)
  })
}

/** [id, CommonJS text] of each chunk: esbuild splits ES modules only, so they are turned afterwards. */
async function makeChunks(root) {
  const entryPoints = { main: join(root, 'packages/apps/cli/src/index.ts') }
  const split = { bundle: true, splitting: true, format: 'esm', write: false, outdir: root, logLevel: 'warning' }
  const { outputFiles } = await build({ ...common, ...split, entryPoints })
  const turned = outputFiles.map(async ({ path, text }) => {
    // require() instead of import(): the loader compiles without a module loader.
    const options = { format: 'cjs', supported: { 'dynamic-import': false }, logLevel: 'error' }
    return [`./${path.slice(root.length).replace(/^\//, '')}`, (await transform(text, { ...common, ...options })).code]
  })
  return Promise.all(turned)
}

async function writeFiles(dist, chunks, isCommon) {
  const files = {
    'berth-main': chunks.filter(([id]) => isCommon(id)),
    'berth-rest': chunks.filter(([id]) => !isCommon(id)),
  }
  for (const [name, members] of Object.entries(files)) {
    rmSync(join(dist, `${name}.cache`), { force: true })
    const text = members.map(
      ([id, code]) => `${JSON.stringify(id)}(exports,require,module,__filename,__dirname){${code}}`,
    )
    await writeFile(join(dist, `${name}.cjs`), `({${text.join(',\n')}})`)
  }
}

/** Runs `use` with an environment whose engine gives empty answers. */
async function withEmptyEngine(use) {
  const directory = mkdtempSync(join(tmpdir(), 'berth-build-'))
  const socket = join(directory, 'engine.sock')
  const engine = createServer((request, response) => {
    request.resume()
    response.end(request.url.includes('/create') ? '{"Id":"x","Warnings":[]}' : '[]')
  })
  await new Promise((resolve) => engine.listen(socket, resolve))
  try {
    await use({ BERTH_HOST: `unix://${socket}`, BERTH_CONFIG: directory })
  } finally {
    engine.close()
    rmSync(directory, { recursive: true })
  }
}
