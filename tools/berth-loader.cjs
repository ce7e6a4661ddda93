// dist/berth.cjs: runs the chunks of the CLI (tools/bundle-cli.mjs), compiled from V8's code cache, which takes a tenth of the
// time. Without the cache, or when it belongs to another V8, they are compiled as usual.
const { readFileSync, renameSync, writeFileSync } = require('node:fs')
const { Script } = require('node:vm')

/** What the build wants: `list` writes down the chunks that are loaded, `cache` writes the caches. */
const mode = process.env.BERTH_BUILD

function readCache(name) {
  try {
    return readFileSync(`${__dirname}/${name}.cache`)
  } catch {
    return undefined
  }
}

/** A file of chunks: a function each. */
function compile(name) {
  const filename = `${__dirname}/${name}.cjs`
  // ASCII: esbuild escapes the rest.
  const source = readFileSync(filename, 'latin1')
  const script = new Script(source, { filename, cachedData: mode === 'cache' ? undefined : readCache(name) })
  return { name, script, chunks: script.runInThisContext() }
}

const main = compile('berth-main')
const files = { 'berth-main': main }
const modules = new Map()

function findChunk(id) {
  const chunk = main.chunks[id]
  if (chunk !== undefined) return chunk
  const name = main.chunks.elsewhere[id] ?? 'berth-rest'
  return (files[name] ??= compile(name)).chunks[id]
}

function load(id) {
  if (!id.startsWith('./')) return require(id)
  const known = modules.get(id)
  if (known !== undefined) return known.exports
  const chunk = findChunk(id)
  const module = { exports: {} }
  modules.set(id, module)
  chunk(module.exports, load, module, __filename, __dirname)
  return module.exports
}

const { runCli } = load('./main.js')

/** The functions that these commands need go into the caches; a file's chunks are those that its lines are first to load. */
const warmUps = {
  'berth-main': ['ps -a'],
  'berth-more': ['__complete -- stop ', 'images'],
  'berth-run': ['create -it image command', 'run -d image', 'exec -d x command', 'rm x'],
}

/** Resolves with what each file should hold: {name: ids}. */
async function warmUp() {
  const groups = {}
  const placed = new Set()
  for (const [name, lines] of Object.entries(warmUps)) {
    for (const line of lines) await runCli(line.split(' '), process.env)
    groups[name] = [...modules.keys()].filter((id) => !placed.has(id))
    groups[name].forEach((id) => placed.add(id))
  }
  return groups
}

function writeCache({ name, script }) {
  const file = `${__dirname}/${name}.cache`
  writeFileSync(`${file}.new`, script.createCachedData())
  renameSync(`${file}.new`, file)
}

async function serveBuild() {
  const groups = await warmUp()
  if (mode === 'list') return writeFileSync(`${__dirname}/chunks.json`, JSON.stringify(groups))
  for (const name of [...Object.keys(groups), 'berth-rest']) writeCache((files[name] ??= compile(name)))
}

if (mode === undefined) runCli(process.argv.slice(2), process.env).then((code) => process.exit(code))
else serveBuild().then(() => process.exit(0))
