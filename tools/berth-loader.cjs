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
let rest
const modules = new Map()

function load(id) {
  if (!id.startsWith('./')) return require(id)
  const known = modules.get(id)
  if (known !== undefined) return known.exports
  const chunk = main.chunks[id] ?? (rest ??= compile('berth-rest')).chunks[id]
  const module = { exports: {} }
  modules.set(id, module)
  chunk(module.exports, load, module, __filename, __dirname)
  return module.exports
}

const { runCli } = load('./main.js')

/** The functions that these commands need go into the cache. */
async function warmUp() {
  for (const line of ['ps -a', 'create -it image command', 'run -d image', 'exec -d x command', 'images', 'rm x']) {
    await runCli(line.split(' '), process.env)
  }
  await runCli(['__complete', '--', 'stop', ''], process.env)
}

function writeCache({ name, script }) {
  const file = `${__dirname}/${name}.cache`
  writeFileSync(`${file}.new`, script.createCachedData())
  renameSync(`${file}.new`, file)
}

async function serveBuild() {
  await warmUp()
  if (mode === 'list') return writeFileSync(`${__dirname}/chunks.json`, JSON.stringify([...modules.keys()]))
  writeCache(main)
  writeCache(rest ?? compile('berth-rest'))
}

if (mode === undefined) runCli(process.argv.slice(2), process.env).then((code) => process.exit(code))
else serveBuild().then(() => process.exit(0))
