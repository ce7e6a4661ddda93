// npm run release [-- DIRECTORY]: the command line as one file for each processor, with its man pages and completions, in
// archives that are the same wherever they are made. Needs the npm registry, for the compiler.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { clientVersion } from '../../packages/apps/cli/src/client-version.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const here = fileURLToPath(new URL('.', import.meta.url))

const processors = ['x64', 'arm64'] as const
type Processor = (typeof processors)[number]

const runtimeOf = (processor: Processor): string => join(here, 'node_modules', `bun-linux-${processor}`, 'bin/bun')

/** What its user's working directory holds is none of the command's business. */
const compileFlags = [
  '--compile',
  '--bytecode',
  '--minify',
  '--no-compile-autoload-dotenv',
  '--no-compile-autoload-bunfig',
]

/** No bundle is needed, nor a stale one taken. */
const fromSource = { ...process.env, BERTH_FROM_SOURCE: '1' }

/** Where shells look for completions, below the prefix of an installation. */
const completions = {
  bash: 'share/bash-completion/completions/berth',
  zsh: 'share/zsh/site-functions/_berth',
  fish: 'share/fish/vendor_completions.d/berth.fish',
}

const output = process.argv[2] ?? join(root, 'dist/release')
rmSync(output, { recursive: true, force: true })
mkdirSync(output, { recursive: true })
// Both runtimes, though only one is of this processor.
await run('npm', ['ci', '--force', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: here })
const archives: string[] = []
for (const processor of processors) archives.push(await release(processor))
writeFileSync(join(output, 'SHA256SUMS'), archives.map(checksum).join(''))

/** Makes one archive and leaves what is in it beside it; returns its name. */
async function release(processor: Processor): Promise<string> {
  const name = `berth-${clientVersion}-linux-${processor}`
  const folder = join(output, name)
  await compile(processor, join(folder, 'bin/berth'))
  await writeDocuments(folder)
  const archive = `${name}.tar.gz`
  await pack(name, archive)
  console.log(join(output, archive))
  return archive
}

async function compile(processor: Processor, outfile: string): Promise<void> {
  mkdirSync(join(outfile, '..'), { recursive: true })
  const target = [`--target=bun-linux-${processor}`, `--compile-executable-path=${runtimeOf(processor)}`]
  const entry = 'packages/apps/cli/src/main.ts'
  const compiler = runtimeOf(process.arch === 'arm64' ? 'arm64' : 'x64')
  await run(compiler, ['build', ...compileFlags, ...target, entry, '--outfile', outfile], { cwd: root })
  chmodSync(outfile, 0o755)
}

async function writeDocuments(folder: string): Promise<void> {
  await run(process.execPath, [join(root, 'tools/write-cli-docs.ts'), join(folder, 'share/man/man1')])
  for (const [shell, path] of Object.entries(completions)) {
    const { stdout } = await run(join(root, 'bin/berth'), ['completion', shell], { env: fromSource })
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), stdout)
  }
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
}

/** The same bytes from the same files. */
async function pack(name: string, archive: string): Promise<void> {
  const fixed = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=u+rw,go=rX']
  const file = archive.replace(/\.gz$/, '')
  await run('tar', ['-C', output, ...fixed, '-cf', join(output, file), name])
  await run('gzip', ['-n', join(output, file)])
}

function checksum(archive: string): string {
  const digest = createHash('sha256')
    .update(readFileSync(join(output, archive)))
    .digest('hex')
  return `${digest}  ${archive}\n`
}
