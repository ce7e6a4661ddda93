// What containers have mounted: the same on Berth and on dockerd (BERTH_TEST_HOST), but where a test says otherwise.
import { type FixtureFile, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { chownSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadImage, onHost, type Outcome, tryRun } from '../security/probe.ts'

const engine = useEngine()
const volumes: string[] = []
const volume = (): string => {
  const own = engine.name()
  volumes.push(own)
  return own
}

const start = (script: string, hostConfig: object, more: object = {}): Promise<Outcome> =>
  tryRun(engine, { Image: 'busybox', Cmd: ['sh', '-c', script], ...more, HostConfig: hostConfig })

async function run(script: string, hostConfig: object, more: object = {}): Promise<string> {
  const { refusedBy, message, output } = await start(script, hostConfig, more)
  assert.equal(refusedBy, 'ran', message)
  return output
}

const host = (name: string): string => join(engine.folder, name)

function folder(name: string, files: Readonly<Record<string, string>> = {}): string {
  const path = host(name)
  mkdirSync(path, { recursive: true })
  for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), content)
  return path
}

interface Mount {
  readonly Type: string
  readonly Source: string
  readonly Destination: string
}

async function inspected(hostConfig: object, config: object = {}): Promise<Mount[]> {
  const name = engine.name()
  const body = { Image: 'busybox', ...config, HostConfig: hostConfig }
  await engine.api.json('POST', `/containers/create?name=${name}`, body)
  const { Mounts } = (await engine.api.json('GET', `/containers/${name}/json`)) as { Mounts: Mount[] }
  await engine.api.json('DELETE', `/containers/${name}?v=1`)
  return Mounts.toSorted((a, b) => (a.Destination < b.Destination ? -1 : 1))
}

test('inspect shows every mount as Docker does', async () => {
  const [named, readOnly, mounted, source] = [volume(), volume(), volume(), folder('shown')]
  const shown = await inspected(
    {
      Binds: [`${named}:/b`, `${readOnly}:/c:ro,nocopy`, `${source}:/d:ro`],
      Mounts: [
        { Type: 'volume', Source: mounted, Target: '/e', ReadOnly: true },
        { Type: 'tmpfs', Target: '/f' },
        { Type: 'bind', Source: source, Target: '/g', BindOptions: { Propagation: 'rslave' } },
        { Type: 'image', Source: 'busybox', Target: '/h' },
      ],
      Tmpfs: { '/i': '' },
    },
    { Volumes: { '/a': {} } },
  )
  const data = (name: string) => new RegExp(`/volumes/${name}/_data$`)
  const sources = shown.map(({ Source }) => Source)
  assert.match(sources[0] ?? '', data('[0-9a-f]{64}'))
  assert.match(sources[1] ?? '', data(named))
  assert.match(sources[7] ?? '', /\/merged$/)
  const local = { Type: 'volume', Driver: 'local', Propagation: '' }
  const anonymous = /volumes\/([0-9a-f]{64})/.exec(sources[0] ?? '')?.[1]
  assert.deepEqual(
    shown.map((mount) => ({ ...mount, ...(mount.Type === 'bind' ? {} : { Source: '' }) })),
    [
      { ...local, Name: anonymous, Source: '', Destination: '/a', Mode: '', RW: true },
      { ...local, Name: named, Source: '', Destination: '/b', Mode: 'z', RW: true },
      { ...local, Name: readOnly, Source: '', Destination: '/c', Mode: 'ro,nocopy', RW: false },
      { Type: 'bind', Source: source, Destination: '/d', Mode: 'ro', RW: false, Propagation: 'rprivate' },
      { ...local, Name: mounted, Source: '', Destination: '/e', Mode: 'z', RW: false },
      { Type: 'tmpfs', Source: '', Destination: '/f', Mode: '', RW: true, Propagation: '' },
      { Type: 'bind', Source: source, Destination: '/g', Mode: '', RW: true, Propagation: 'rslave' },
      { Type: 'image', Name: 'busybox', Source: '', Destination: '/h', Mode: '', RW: false, Propagation: 'rprivate' },
    ],
  )
})

test('a part of a volume is mounted, a directory or a file, through links that stay inside', async () => {
  const own = volume()
  const files = 'mkdir -p /v/a/b; echo f >/v/file; ln -s a /v/link; touch /v/a/b/in'
  const escapes = 'ln -s /etc /v/absolute; ln -s ../../../../etc /v/climbing; ln -s a/../../x /v/sly'
  await run(`${files}; ${escapes}`, { Binds: [`${own}:/v`] })
  const part = (Subpath: string, ReadOnly = false) => ({
    Mounts: [{ Type: 'volume', Source: own, Target: '/s', ReadOnly, VolumeOptions: { Subpath } }],
  })
  for (const [subpath, content] of Object.entries({ a: 'b', 'a/b': 'in', link: 'b', 'link/b': 'in', 'a/../a': 'b' })) {
    assert.equal(await run('ls /s', part(subpath)), content, subpath)
  }
  assert.equal(await run('cat /s; echo more >>/s', part('file')), 'f')
  assert.equal(
    await run('cat /s; (echo never >>/s) 2>/dev/null || echo refused', part('file', true)),
    'f\nmore\nrefused',
  )
  assert.match(await run('mkdir /s/new; ls /v/a', { ...part('a'), Binds: [`${own}:/v`] }), /^b\nnew$/)
  for (const subpath of ['absolute', 'climbing', 'sly', 'nowhere']) {
    const { refusedBy, message } = await start('ls /s', part(subpath))
    assert.equal(refusedBy, 'start', subpath)
    assert.match(message, /escapes the base directory|cannot access path/)
  }
  for (const subpath of ['../x', '/a', 'a/../..']) {
    const { refusedBy, message } = await start('true', part(subpath))
    assert.deepEqual(
      [refusedBy, message],
      ['create', 'invalid mount config for type "volume": subpath must be a relative path within the volume'],
    )
  }
})

test('an image is mounted read-only, whole or in part, and kept while a container has it', async () => {
  const files: readonly FixtureFile[] = [
    { path: 'data/f', content: 'of the image\n' },
    { path: 'out', link: '../../../../etc' },
  ]
  const image = await loadImage(engine, files)
  const mount = (subpath = '') => ({
    Mounts: [
      { Type: 'image', Source: image, Target: '/i', ...(subpath ? { ImageOptions: { Subpath: subpath } } : {}) },
    ],
  })
  assert.equal(await run('cat /i/data/f; touch /i/x 2>/dev/null || echo refused', mount()), 'of the image\nrefused')
  assert.equal(await run('ls /i', mount('data')), 'f')
  assert.equal(await run('cat /i', mount('data/f')), 'of the image')
  if (engine.daemon) {
    const again = { Type: 'image', Source: image, Target: '/again' }
    assert.equal(
      await run('cat /i/data/f /again/data/f', { Mounts: [...mount().Mounts, again] }),
      'of the image\nof the image',
    )
  }
  assert.equal((await start('ls /i', mount('out'))).refusedBy, 'start')
  const { refusedBy, message } = await start('true', mount('../x'))
  assert.deepEqual(
    [refusedBy, message],
    ['create', 'invalid mount config for type "image": subpath must be a relative path within the volume'],
  )
  const name = engine.name()
  await engine.api.json('POST', `/containers/create?name=${name}`, { Image: 'busybox', HostConfig: mount() })
  const removal = await engine.api.request('DELETE', `/images/${image}`)
  assert.equal(removal.status, 409, removal.text)
  await engine.api.json('POST', `/containers/${name}/start`)
  await engine.api.json('DELETE', `/containers/${name}?force=1`)
  await engine.api.json('DELETE', `/images/${image}`)
  if (engine.daemon) assert.doesNotMatch(await onHost(engine, 'cat', '/proc/self/mountinfo'), /merged|\/mounts\//)
})

test('an image that is not there cannot be mounted', async () => {
  const missing = { Mounts: [{ Type: 'image', Source: 'bt-absent', Target: '/i' }] }
  const { refusedBy, message } = await start('true', missing)
  assert.deepEqual([refusedBy, message], ['create', 'No such image: bt-absent:latest'])
})

test('-v makes a missing source, a directory of root’s; --mount refuses it unless told to make it', async () => {
  const bound = (source: string, BindOptions?: object) => ({
    Mounts: [{ Type: 'bind', Source: source, Target: '/x', ...(BindOptions ? { BindOptions } : {}) }],
  })
  assert.equal(await run('ls -A /x', { Binds: [`${host('made/deep')}:/x`] }), '')
  if (engine.daemon) {
    const { uid, gid, mode } = statSync(host('made/deep'))
    assert.deepEqual([uid, gid, mode & 0o777], [0, 0, 0o755])
  }
  const { refusedBy, message } = await start('true', bound(host('missing')))
  assert.deepEqual(
    [refusedBy, message],
    ['create', `invalid mount config for type "bind": bind source path does not exist: ${host('missing')}`],
  )
  assert.equal(await run('ls -A /x', bound(host('asked-for'), { CreateMountpoint: true })), '')
})

test('relative sources are names of volumes to -v, and refused by --mount', async () => {
  const words = 'includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed.'
  for (const source of ['./x', '../x', 'x/y', '~/x']) {
    const { refusedBy, message } = await start('true', { Binds: [`${source}:/x`] })
    assert.equal(refusedBy, 'create')
    assert.equal(
      message,
      `create ${source}: "${source}" ${words} If you intended to pass a host directory, use absolute path`,
    )
  }
  const { message } = await start('true', { Mounts: [{ Type: 'bind', Source: 'x', Target: '/x' }] })
  assert.equal(message, `invalid mount config for type "bind": invalid mount path: 'x' mount path must be absolute`)
})

test('files are mounted on files, also those that the engine makes', async () => {
  const source = folder('files', { own: 'mine\n' })
  const file = join(source, 'own')
  for (const target of ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/etc/passwd', '/new/deep/file']) {
    assert.equal(await run(`cat ${target}`, { Binds: [`${file}:${target}`] }), 'mine', target)
  }
  assert.equal(
    await run('ls /etc; cat /etc/hostname', { Mounts: [{ Type: 'volume', Target: '/etc' }] }, { Hostname: 'h1' }),
    ['group', 'hostname', 'hosts', 'mtab', 'passwd', 'resolv.conf', 'h1'].join('\n'),
  )
})

test('mounts in mounts are made in the right order, whatever order they are asked for in', async () => {
  const [outer, own] = [folder('outer', { o: '' }), volume()]
  const inner = folder('inner', { i: '' })
  const hostConfig = {
    Mounts: [{ Type: 'tmpfs', Target: '/x/t/deep' }],
    Binds: [`${inner}:/x/y/z`, `${own}:/x/v`, `${outer}:/x`],
  }
  assert.equal(await run('touch /x/t/deep/d; find /x -type f | sort', hostConfig), '/x/o\n/x/t/deep/d\n/x/y/z/i')
})

test('tmpfs mounts take size and mode', async () => {
  const TmpfsOptions = { SizeBytes: 1 << 20, Mode: 0o1700 }
  const script =
    'grep " /x " /proc/mounts | grep -o "size=1024k"; stat -c %a /x; head -c 2000000 /dev/zero >/x/f 2>/dev/null || echo full'
  assert.equal(await run(script, { Mounts: [{ Type: 'tmpfs', Target: '/x', TmpfsOptions }] }), 'size=1024k\n1700\nfull')
  const readOnly = { Mounts: [{ Type: 'tmpfs', Target: '/x', ReadOnly: true }] }
  assert.equal(await run('touch /x/f 2>/dev/null || echo refused', readOnly), 'refused')
})

test('words about consistency and SELinux are taken, and change nothing', async () => {
  const [source, own] = [folder('words'), volume()]
  for (const word of ['consistent', 'cached', 'delegated', 'z', 'Z']) {
    assert.equal(await run('touch /x/f && echo ok', { Binds: [`${source}:/x:${word}`] }), 'ok', word)
    assert.equal(await run('touch /x/f && echo ok', { Binds: [`${own}:/x:${word}`] }), 'ok', word)
  }
  const mount = { Type: 'bind', Source: source, Target: '/x', Consistency: 'cached' }
  assert.equal(await run('touch /x/f && echo ok', { Mounts: [mount] }), 'ok')
})

test('read-only binds are read-only all the way down, from API 1.44 and unless told otherwise', async (t) => {
  if (!engine.daemon) return t.skip('mounts are made on the host of the engine’s own')
  const source = folder('tree')
  mkdirSync(join(source, 'below'))
  await onHost(engine, 'mount', '-t', 'tmpfs', 'tmpfs', join(source, 'below'))
  try {
    const script = 'for f in /x/f /x/below/f; do touch $f 2>/dev/null && echo written || echo refused; done'
    const bind = (BindOptions?: object) => ({
      Mounts: [{ Type: 'bind', Source: source, Target: '/x', ReadOnly: true, ...(BindOptions ? { BindOptions } : {}) }],
    })
    assert.equal(await run(script, { Binds: [`${source}:/x:ro`] }), 'refused\nrefused')
    assert.equal(await run(script, bind()), 'refused\nrefused')
    assert.equal(await run(script, bind({ ReadOnlyForceRecursive: true, Propagation: 'rprivate' })), 'refused\nrefused')
    assert.equal(await run(script, bind({ ReadOnlyNonRecursive: true })), 'refused\nwritten')
    // Not recursive: what is below is the directory that the mount hides.
    assert.equal(await run('grep -c " /x/below " /proc/mounts; true', bind({ NonRecursive: true })), '0')
    const name = engine.name()
    const body = { Image: 'busybox', Cmd: ['sh', '-c', script], HostConfig: bind() }
    await engine.api.json('POST', `/v1.43/containers/create?name=${name}`, body)
    await engine.api.json('POST', `/containers/${name}/start`)
    await engine.api.json('POST', `/containers/${name}/wait`)
    const { text } = await engine.api.request('GET', `/containers/${name}/logs?stdout=1`)
    assert.match(text, /refused\n[^]*written/)
    await engine.api.json('DELETE', `/containers/${name}`)
  } finally {
    await onHost(engine, 'umount', join(source, 'below'))
  }
})

test('what the host may not do where a source is mounted, no container may', async (t) => {
  if (!engine.daemon) return t.skip('mounts are made on the host of the engine’s own')
  const source = folder('restricted')
  await onHost(engine, 'mount', '-t', 'tmpfs', '-o', 'nosuid,nodev,noexec', 'tmpfs', source)
  try {
    const script = 'grep " /x " /proc/mounts | cut -d" " -f4; touch /x/f 2>/dev/null || echo refused'
    assert.match(await run(script, { Binds: [`${source}:/x`] }), /^rw,nosuid,nodev,noexec,relatime$/m)
    await onHost(engine, 'mount', '-o', 'remount,bind,ro,nosuid', source)
    assert.match(await run(script, { Binds: [`${source}:/x`] }), /^ro,nosuid.*\nrefused$/m)
  } finally {
    await onHost(engine, 'umount', source)
  }
})

test('shared and slave binds pass mounts on as they say', async (t) => {
  if (!engine.daemon) return t.skip('mounts are made on the host of the engine’s own')
  const source = folder('spread')
  await onHost(engine, 'mount', '--bind', source, source)
  await onHost(engine, 'mount', '--make-shared', source)
  try {
    mkdirSync(join(source, 'inner'))
    const mounting = 'mount -t tmpfs tmpfs /x/inner && touch /x/inner/made; cat /proc/self/mountinfo | grep " /x "'
    const own = { CapAdd: ['SYS_ADMIN'], SecurityOpt: ['apparmor=unconfined'] }
    const seen = (propagation: string) => run(mounting, { Binds: [`${source}:/x:${propagation}`], ...own })
    assert.match(await seen('rslave'), / master:\d+/)
    assert.equal(await onHost(engine, 'ls', join(source, 'inner')), '')
    assert.match(await seen('rshared'), / shared:\d+/)
    assert.equal(await onHost(engine, 'ls', join(source, 'inner')), 'made')
    await onHost(engine, 'umount', join(source, 'inner'))
    assert.doesNotMatch(await seen('rprivate'), / (shared|master):/)
    assert.equal(await onHost(engine, 'ls', join(source, 'inner')), '')
  } finally {
    await onHost(engine, 'umount', source)
  }
})

test('a propagation that the source’s mount does not have is refused at the start in docker’s words', async (t) => {
  if (!engine.daemon) return t.skip('mounts are made on the host of the engine’s own')
  const source = folder('kept')
  await onHost(engine, 'mount', '--bind', source, source)
  await onHost(engine, 'mount', '--make-private', source)
  try {
    const refusal = async (propagation: string) => {
      const { refusedBy, message } = await start('true', { Binds: [`${source}:/x:${propagation}`] })
      return [refusedBy, message]
    }
    const words = `path ${source} is mounted on ${source} but it is not a shared`
    assert.deepEqual(await refusal('rshared'), ['start', `${words} mount`])
    assert.deepEqual(await refusal('slave'), ['start', `${words} or slave mount`])
    assert.equal((await refusal('rprivate'))[0], 'ran')
  } finally {
    await onHost(engine, 'umount', source)
  }
})

test('a bind of what holds the engine’s data is a slave unasked, also where the mount has no peers', async (t) => {
  if (!engine.daemon) return t.skip('mounts are made on the host of the engine’s own')
  const { DockerRootDir } = (await engine.api.json('GET', '/info')) as { DockerRootDir: string }
  await onHost(engine, 'mount', '--make-private', '/')
  for (const bind of [`${DockerRootDir}:/x`, `${DockerRootDir}/..:/x:rslave`, '/:/x']) {
    assert.equal(await run('ls -d /x', { Binds: [bind] }), '/x')
  }
})

test('a bind with an id map shows files under the container’s owners and writes them under the host’s', async (t) => {
  if (!engine.daemon) return t.skip('Berth’s own')
  const source = folder('mapped', { f: 'theirs\n' })
  for (const path of [source, join(source, 'f')]) chownSync(path, 1234, 2345)
  const Annotations = { 'io.berth.bind-idmap./x': 'u:0:1234;g:0:2345' }
  const hostConfig = { Mounts: [{ Type: 'bind', Source: source, Target: '/x' }], Annotations }
  assert.equal(await run('stat -c "%u %g" /x /x/f; echo new >/x/new', hostConfig), '0 0\n0 0')
  const { uid, gid } = statSync(join(source, 'new'))
  assert.deepEqual([uid, gid], [1234, 2345])
  const file = { Binds: [`${join(source, 'f')}:/y`], Annotations: { 'io.berth.bind-idmap./y': '7:1234' } }
  assert.equal(await run('stat -c %u /y', file), '7')
  const nowhere = await start('true', { Annotations: { 'io.berth.bind-idmap./x': '0:1' } })
  assert.deepEqual(
    [nowhere.refusedBy, nowhere.message],
    ['create', 'an id map is given for /x, where nothing is bound'],
  )
})

test('what the tests made can be removed', async () => {
  for (const own of volumes) await engine.api.json('DELETE', `/volumes/${own}?force=1`)
  assert.equal(existsSync(host('missing')), false)
  if (engine.daemon) assert.doesNotMatch(await onHost(engine, 'cat', '/proc/self/mountinfo'), /\/mounts\/|merged/)
})
