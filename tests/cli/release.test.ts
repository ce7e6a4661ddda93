import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command, startDaemon } from '@berth/testing'
import { testCli } from '../contract/all.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'berth-release-'))
after(() => rmSync(folder, { recursive: true }))

await makeRelease(folder)
const [own = ''] = readdirSync(folder).filter((name) => name.endsWith(`linux-${process.arch}`))
const berth = join(folder, own, 'bin/berth')

async function makeRelease(directory: string): Promise<void> {
  const args = [join(root, 'tools/release/main.ts'), directory]
  const { code, stderr } = await command(process.execPath, args, { timeoutMs: 300_000 })
  assert.equal(code, 0, stderr)
}

test('the release has an archive for each processor, with pages and completions, and their checksums', async () => {
  const sums = await command('sha256sum', ['--check', 'SHA256SUMS'], { cwd: folder })
  assert.match(sums.stdout, /^berth-\S+-linux-x64\.tar\.gz: OK\nberth-\S+-linux-arm64\.tar\.gz: OK\n$/)
  const { stdout } = await command('tar', ['-tzf', `${own}.tar.gz`], { cwd: folder })
  const files = stdout.split('\n').filter((line) => line !== '' && !line.endsWith('/'))
  const pages = readdirSync(join(root, 'docs/cli')).filter((name) => name !== 'README.md')
  assert.deepEqual(
    files.filter((file) => !file.includes('/man/')),
    [
      'LICENSE',
      'bin/berth',
      'share/bash-completion/completions/berth',
      'share/fish/vendor_completions.d/berth.fish',
      'share/zsh/site-functions/_berth',
    ].map((file) => `${own}/${file}`),
  )
  const manPages = new Set(files.map((file) => /\/man\/man1\/(?:berth-)?(.*)\.1$/.exec(file)?.[1]))
  const missing = [...pages.map((page) => page.replace('.md', '')), 'run', 'ps'].filter((page) => !manPages.has(page))
  assert.deepEqual(missing, [])
})

test('the release is the same when it is made again', async () => {
  const again = join(folder, 'again')
  await makeRelease(again)
  assert.equal(readFileSync(join(again, 'SHA256SUMS'), 'utf8'), readFileSync(join(folder, 'SHA256SUMS'), 'utf8'))
  rmSync(again, { recursive: true })
})

test('the released berth takes nothing from the directory it is called in', async () => {
  const directory = mkdtempSync(join(folder, 'cwd-'))
  writeFileSync(join(directory, '.env'), 'BERTH_HOST=unix:///from/dotenv.sock\nDOCKER_HOST=unix:///from/dotenv.sock\n')
  writeFileSync(join(directory, 'bunfig.toml'), 'preload = ["./evil.js"]\n')
  writeFileSync(join(directory, 'evil.js'), 'console.log("evil")\n')
  const { stdout, stderr } = await command(berth, ['ps'], { cwd: directory, env: { BERTH_HOST: '' } })
  assert.doesNotMatch(stdout + stderr, /dotenv|evil/)
})

test('the release for the other processor runs: its version, and an answer of an engine', async () => {
  await using daemon = await startDaemon()
  const [other = ''] = readdirSync(folder).filter((name) => name.endsWith('linux-arm64'))
  // An emulator of Debian's, and the libraries of that machine.
  const run = (...args: string[]) =>
    command('qemu-aarch64-static', ['-L', '/usr/aarch64-linux-gnu', join(folder, other, 'bin/berth'), ...args], {
      env: { BERTH_HOST: daemon.host },
      timeoutMs: 120_000,
    })
  const version = await run('--version')
  assert.match(version.stdout, /^Berth version \d/)
  const { code, stdout, stderr } = await run('ps')
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /^CONTAINER ID {3}IMAGE/)
})

process.env['BERTH_CLI'] = berth
testCli('berth')
await import('../peers/berth-build.test.ts')
await import('../connections/tls.test.ts')
