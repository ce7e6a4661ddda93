// Bundles the CLI in chunks, and those in files with V8's code cache: what `ps` loads, what completion loads beside that, what
// runs containers, the rest. What is taken from a cache costs by its size, though little of it runs.
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

/** Writes the files of chunks into dist; with a Node to run them, their caches, and the version. */
export async function bundleCli(root, node) {
  const dist = join(root, 'dist')
  const chunks = await makeChunks(root)
  await writeFiles(dist, chunks, {})
  if (node === undefined) return
  await withEmptyEngine(async (env) => {
    const bundle = join(dist, 'berth.cjs')
    const start = (mode) => run(node, ['--no-warnings', bundle], { env: { ...env, BERTH_BUILD: mode } })
    await start('list')
    const list = join(dist, 'chunks.json')
    const groups = JSON.parse(readFileSync(list, 'utf8'))
    rmSync(list)
    await writeFiles(dist, chunks, groups)
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

/** `groups`: the ids of each file; what is in none goes into berth-rest. */
async function writeFiles(dist, chunks, groups) {
  const places = new Map(Object.entries(groups).flatMap(([name, ids]) => ids.map((id) => [id, name])))
  const members = { 'berth-main': [elsewhere(places)], 'berth-more': [], 'berth-run': [], 'berth-rest': [] }
  for (const [id, code] of chunks) {
    members[places.get(id) ?? 'berth-rest'].push(
      `${JSON.stringify(id)}(exports,require,module,__filename,__dirname){${code}}`,
    )
  }
  for (const [name, texts] of Object.entries(members)) {
    rmSync(join(dist, `${name}.cache`), { force: true })
    await writeFile(join(dist, `${name}.cjs`), `({${texts.join(',\n')}})`)
  }
}

/** The first file tells where what is neither in it nor in the last one is. */
function elsewhere(places) {
  const others = [...places].filter(([, name]) => name !== 'berth-main')
  return `elsewhere:${JSON.stringify(Object.fromEntries(others))}`
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
