// CVE-2024-23651, -23652, -2026-33748, CVE-2019-13139 and kin: builds whose files, mounts and sources aim at the host.
import assert from 'node:assert/strict'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { command, loadFixture, startDaemon, tarEntry, type TestDaemon, until, writeTar } from '@berth/testing'

let engine: TestDaemon
const folder = mkdtempSync(join(tmpdir(), 'berth-hostile-builds-'))
const canary = join(folder, 'canary')
const up = '../'.repeat(30)
let git: ChildProcess

before(async () => {
  engine = await startDaemon()
  await loadFixture(engine.api, 'busybox')
  mkdirSync(join(canary, 'empty-directory'), { recursive: true })
  writeFileSync(join(canary, 'empty-file'), '')
  writeFileSync(join(canary, 'secret'), 'what-only-the-host-knows')
  mkdirSync(join(folder, 'git'))
  const serve = ['daemon', '--reuseaddr', '--export-all', `--base-path=${join(folder, 'git')}`, '--listen=127.0.0.1']
  const { file, args, env } = engine.sandbox.enter(['git', ...serve])
  git = spawn(file, args, { env, stdio: 'ignore' })
})
after(async () => {
  git?.kill()
  if (git) await once(git, 'exit')
  await engine?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const untouched = (): void => {
  assert.deepEqual(readdirSync(canary, { recursive: true }).toSorted(), ['empty-directory', 'empty-file', 'secret'])
}

async function build(dockerfile: string, query = ''): Promise<string> {
  const content = Buffer.from(dockerfile)
  const files = [{ entry: tarEntry({ path: 'Dockerfile', sizeBytes: content.length }), content }]
  const body = Buffer.concat(await Array.fromAsync(writeTar(files)))
  const headers = { 'Content-Type': 'application/x-tar' }
  return (await engine.api.request('POST', `/build?${query}`, body, { headers })).text
}

test('mount targets behind links lead nowhere outside, and cleaning them up removes nothing of the host', async () => {
  const links = `RUN ln -s ${canary} /abs && ln -s ${up}${canary.slice(1)} /rel && ln -s ${canary}/empty-file /file`
  const mounts = [
    'type=bind,from=busybox,target=/abs/empty-directory',
    'type=bind,from=busybox,source=/etc/passwd,target=/rel/empty-file',
    'type=bind,from=busybox,source=/etc/passwd,target=/file',
    'type=tmpfs,target=/rel/empty-directory',
    'type=cache,target=/abs/new',
    `type=bind,from=busybox,target=/${up}${canary.slice(1)}/new`,
    `type=cache,target=${up}${canary.slice(1)}/empty-directory`,
  ]
  for (const mount of mounts) {
    await build(`FROM busybox\n${links}\nRUN --mount=${mount} touch /abs/pwned /rel/pwned ${canary}/pwned; true`)
    untouched()
  }
})

test('sources of mounts and copies that climb, or are links, bring nothing of the host', async () => {
  const lines = [
    `RUN ln -s ${canary} /abs && ln -s ${up}${canary.slice(1)} /rel`,
    'FROM busybox',
    'RUN --mount=type=bind,from=0,source=/abs,target=/m cat /m/secret',
    'RUN --mount=type=bind,from=0,source=/rel,target=/m,rw cat /m/secret',
    'RUN --mount=type=cache,id=c1,from=0,source=/abs,target=/m cat /m/secret',
    `RUN --mount=type=bind,from=0,source=${up}${canary.slice(1)},target=/m cat /m/secret`,
    `RUN --mount=type=cache,id=${up}${canary.slice(1)},target=/m ls -A /m; cat /m/secret`,
    'COPY --from=0 /abs/secret /s',
    `COPY --from=0 ${up}${canary.slice(1)}/secret /s`,
    'ADD --unpack=true /abs/secret /',
  ]
  const [links, from, ...attempts] = lines as [string, string, ...string[]]
  for (const attempt of attempts) {
    const text = await build(`FROM busybox\n${links}\n${from}\n${attempt}\nRUN cat /s 2>/dev/null; true`)
    assert.ok(!text.includes('what-only-the-host-knows'), `${attempt}\n${text}`)
    untouched()
  }
})

test('a shared cache that one build swaps under the mounts of others leads nowhere', async () => {
  const names = ['a', 'b', 'c'].map((name) => `/c/${name}`)
  const swap = names
    .map((name) => `rm -rf ${name}; ln -s ${canary} ${name}; rm -f ${name}; mkdir -p ${name};`)
    .join(' ')
  const swapping = build(
    `FROM busybox\nRUN --mount=type=cache,id=race,target=/c end=$(($(date +%s)+6)); while [ $(date +%s) -lt $end ]; do ${swap} done; true`,
    'nocache=1',
  )
  let builds = 0
  const mounting = async (): Promise<void> => {
    for (const end = performance.now() + 5000; performance.now() < end; builds++) {
      const inner = names.map((name) => `--mount=type=bind,from=busybox,target=${name},rw`).join(' ')
      const text = await build(
        `FROM busybox\nRUN --mount=type=cache,id=race,target=/c ${inner} touch /c/a/pwned /c/b/pwned; cat /c/*/secret; true`,
        'nocache=1',
      )
      assert.ok(!text.includes('what-only-the-host-knows'))
      untouched()
    }
  }
  await Promise.all([mounting(), mounting(), swapping])
  assert.ok(builds > 4)
  untouched()
})

/** A repository in the folder that the daemon serves, made by `fill`. */
function repository(name: string, fill: (work: string) => void): string {
  const work = mkdtempSync(join(folder, 'work-'))
  const run = (...args: string[]) => execFileSync('git', ['-C', work, ...args], { stdio: 'ignore' })
  run('init', '-q', '-b', 'main')
  fill(work)
  run('add', '-A', '-f')
  run('-c', 'user.name=x', '-c', 'user.email=x@x', 'commit', '-qm', 'x')
  execFileSync('git', ['clone', '-q', '--bare', work, join(folder, 'git', name)], { stdio: 'ignore' })
  return `git://127.0.0.1/${name}`
}

const remote = async (source: string): Promise<string> =>
  (await engine.api.request('POST', `/build?remote=${encodeURIComponent(source)}`)).text

const isServed = async (): Promise<boolean> => {
  const { file, args, env } = engine.sandbox.enter(['git', 'ls-remote', 'git://127.0.0.1/plain.git'])
  return (await command(file, args, { env: env as Record<string, string> })).code === 0
}

test('what a repository brings along is run by nobody: no configuration, no hook, no filter, no submodule of its own protocol', async () => {
  const proof = join(folder, 'proof')
  const plain = repository('plain.git', (work) => writeFileSync(join(work, 'Dockerfile'), 'FROM busybox\nCOPY . /r\n'))
  await until(isServed)
  assert.match(await remote(plain), /Successfully built/)
  const script = `#!/bin/sh\necho "$0" >> ${proof}\n`
  const hostile = repository('hostile.git', (work) => {
    const file = (name: string, text: string) => writeFileSync(join(work, name), text, { mode: 0o755 })
    file('Dockerfile', 'FROM busybox\nCOPY . /r\n')
    file('run', script)
    const config = `[core]\n\tfsmonitor = ./run\n\tsshCommand = ./run\n\thooksPath = .\n\tpager = ./run\n[filter "x"]\n\tsmudge = ./run\n\tprocess = ./run\n[protocol "ext"]\n\tallow = always\n`
    file('.gitconfig', config)
    mkdirSync(join(work, '.config/git'), { recursive: true })
    file('.config/git/config', config)
    file('.gitattributes', '* filter=x\n')
    for (const hook of ['post-checkout', 'post-index-change', 'reference-transaction']) file(hook, script)
    file('.gitmodules', `[submodule "s"]\n\tpath = s\n\turl = ext::sh -c "touch ${proof}"\n\tupdate = !./run\n`)
    const id = execFileSync('git', ['-C', work, 'hash-object', '-w', '--stdin', '-t', 'blob'], {
      input: 'x',
      encoding: 'utf8',
    })
    const commit = id.trim()
    execFileSync('git', ['-C', work, 'update-index', '--add', '--cacheinfo', `160000,${commit},s`])
  })
  await remote(hostile)
  await build(`FROM busybox\nADD ${hostile} /x`)
  assert.ok(!existsSync(proof), 'something of the repository was run')
})

test('refs and addresses that are options, and folders that climb or are links, are refused', async () => {
  const proof = join(folder, 'proof-of-options')
  const links = repository('links.git', (work) => {
    writeFileSync(join(work, 'Dockerfile'), 'FROM busybox\n')
    symlinkSync(canary, join(work, 'abs'))
    symlinkSync(`${up}${canary.slice(1)}`, join(work, 'rel'))
  })
  const sources = [
    `${links}#--upload-pack=touch ${proof}`,
    `${links}#-u touch ${proof}`,
    `${links}#main --upload-pack=touch ${proof}`,
    `git://127.0.0.1/links.git --upload-pack=touch ${proof}#main`,
    `${links}#:abs`,
    `${links}#:rel`,
    `${links}#:${up}${canary.slice(1)}`,
    `git@-oProxyCommand=touch ${proof}:x.git`,
    `ssh://-oProxyCommand=touch%20${proof}/x.git`,
    `ext::sh -c touch% ${proof}`,
    `file://${join(folder, 'git', 'links.git')}`,
  ]
  for (const source of sources) {
    const text = await remote(source)
    assert.doesNotMatch(text, /Successfully built/, source)
    assert.ok(!existsSync(proof), source)
    const added = await build(`FROM busybox\nADD ${JSON.stringify([source, '/x'])}\nRUN cat /x/secret`)
    assert.ok(!added.includes('what-only-the-host-knows'), source)
    assert.ok(!existsSync(proof), source)
  }
  untouched()
})

test('further names of a file are made where a link of the image leads in it, and are no files of the host', async () => {
  // Whose layers are on the file system that the host's files are on.
  await using copying = await startDaemon({ args: ['--storage-driver', 'vfs'] })
  await loadFixture(copying.api, 'busybox')
  const lines = ['FROM busybox', `RUN mkdir -p ${canary} && ln -s ${canary} /out`, 'COPY --chmod=644 f /out']
  const dockerfile = Buffer.from([...lines, 'RUN cat /out/secret /out/too', ''].join('\n'))
  const own = Buffer.from('own')
  const files = [
    { entry: tarEntry({ path: 'Dockerfile', sizeBytes: dockerfile.length }), content: dockerfile },
    { entry: tarEntry({ path: 'f/secret', sizeBytes: own.length }), content: own },
    { entry: tarEntry({ path: 'f/too', type: 'hardlink', linkPath: 'f/secret' }) },
  ]
  const body = Buffer.concat(await Array.fromAsync(writeTar(files)))
  const headers = { 'Content-Type': 'application/x-tar' }
  const { text } = await copying.api.request('POST', '/build?nocache=1', body, { headers })
  assert.ok(!text.includes('what-only-the-host-knows'), text)
  assert.match(text, /ownown[^]*Successfully built/)
  untouched()
})
