// What volumes hold at first: the same on Berth and on dockerd (BERTH_TEST_HOST).
import { type FixtureFile, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadImage, tryRun } from '../security/probe.ts'

const engine = useEngine()
const volumes: string[] = []
const volume = (): string => {
  const own = engine.name()
  volumes.push(own)
  return own
}

const files: readonly FixtureFile[] = [
  { path: 'data/', mode: 0o2750, uid: 33, gid: 44 },
  { path: 'data/f', content: 'hi\n', mode: 0o4711, uid: 5, gid: 6 },
  { path: 'data/hard', hardlink: 'data/f', mode: 0o4711, uid: 5, gid: 6 },
  { path: 'data/sym', link: 'f' },
  { path: 'data/abs', link: '/etc/passwd' },
  { path: 'data/fifo', node: 'fifo', mode: 0o600 },
  { path: 'data/null', node: ['character', 1, 3], mode: 0o666 },
  { path: 'data/deep/er/', mode: 0o700, uid: 7, gid: 8 },
  { path: 'data/deep/er/g', content: 'deep' },
  { path: 'empty/', mode: 0o1777, uid: 11, gid: 12 },
  { path: 'afile', content: 'x' },
  { path: 'to-data', link: '/data' },
  { path: 'dangling', link: '/nowhere' },
]
const config = { Env: ['PATH=/bin'], Volumes: { '/data': {}, '/new/deep': {} } }
let loaded: Promise<string> | undefined
const loadOnce = (): Promise<string> => (loaded ??= loadImage(engine, files, { config }))

/** Every file below a directory: type and mode, owner, group, links, size, name. */
const look = (path: string): string =>
  `cd ${path} && find . | sort | while read f; do stat -c '%f %u %g %h %s %n' "$f"; readlink "$f"; done; true`

const run = async (script: string, hostConfig: object = {}, more: object = {}): Promise<string> => {
  const { refusedBy, message, output } = await tryRun(engine, {
    Image: await loadOnce(),
    Cmd: ['sh', '-c', script],
    ...more,
    HostConfig: hostConfig,
  })
  assert.equal(refusedBy, 'ran', message)
  return output
}

const withoutDirectorySizes = (text: string): string => text.replaceAll(/^(4\w+ \d+ \d+ \d+) \d+/gm, '$1')

test('anonymous and named volumes are filled with what the image has, owners, modes, links and all', async () => {
  // What the image itself has, where no volume is in the way.
  const original = withoutDirectorySizes(await run(look('/to-data/'), { Tmpfs: { '/data/x': '' } }))
  const expected = withoutDirectorySizes(await run(look('/data')))
  assert.match(expected, /^45e8 33 44 \d+ \.$/m)
  assert.match(expected, /^89c9 5 6 2 3 \.\/f$/m)
  assert.match(expected, /^2\w+ 0 0 1 0 \.\/null$/m)
  assert.match(expected, /^41c0 7 8 \d+ \.\/deep\/er$/m)
  assert.ok(original.includes('./deep/er/g'))
  assert.equal(withoutDirectorySizes(await run(look('/data'), { Binds: [`${volume()}:/data`] })), expected)
  const mount = { Type: 'volume', Source: volume(), Target: '/data' }
  assert.equal(withoutDirectorySizes(await run(look('/data'), { Mounts: [mount] })), expected)
})

test('an empty directory of the image gives its owner and mode', async () => {
  assert.match(await run('stat -c "%a %u %g" /empty', { Binds: [`${volume()}:/empty`] }), /^1777 11 12$/)
})

test('a directory that the image has not is root’s', async () => {
  assert.equal(await run('stat -c "%a %u %g" /new/deep; ls -A /new/deep'), '755 0 0')
})

test('nocopy and subpaths leave a volume empty, and the next who may fills it', async () => {
  const own = volume()
  assert.equal(await run('ls -A /data', { Binds: [`${own}:/data:nocopy`] }), '')
  const mount = { Type: 'volume', Source: own, Target: '/data', VolumeOptions: { NoCopy: true } }
  assert.equal(await run('ls -A /data', { Mounts: [mount] }), '')
  assert.match(await run('ls -A /data', { Binds: [`${own}:/data`] }), /^f$/m)
})

test('a volume that holds something stays as it is', async () => {
  const own = volume()
  await run('touch /data/mine', { Binds: [`${own}:/data:nocopy`] })
  assert.equal(await run('ls -A /data', { Binds: [`${own}:/data`] }), 'mine')
})

test('links of the image are followed inside it', async () => {
  assert.match(await run('ls -A /data', { Binds: [`${volume()}:/to-data`] }), /^deep$/m)
  assert.equal(await run('ls -A /nowhere', { Binds: [`${volume()}:/dangling`] }), '')
})

test('a volume over a file of the image is refused at create', async () => {
  for (const over of [{ Volumes: { '/afile': {} } }, { HostConfig: { Binds: [`${volume()}:/afile`] } }]) {
    const { refusedBy, message } = await tryRun(engine, { Image: await loadOnce(), Cmd: ['true'], ...over })
    assert.equal(refusedBy, 'create')
    assert.match(message, /cannot mount volume over existing file, file exists|is not directory/)
  }
})

test('a tmpfs where the image has a volume takes its place', async () => {
  assert.equal(await run('ls -A /data; grep -c " /data " /proc/mounts', { Tmpfs: { '/data': '' } }), '1')
  const Mounts = [{ Type: 'tmpfs', Target: '/data' }]
  assert.equal(await run('ls -A /data; grep -c " /data tmpfs " /proc/mounts', { Mounts }), '1')
})

test('a volume is filled when the container is made', async () => {
  const [own, first] = [volume(), engine.name()]
  const body = { Image: await loadOnce(), Cmd: ['true'], HostConfig: { Binds: [`${own}:/data`] } }
  await engine.api.json('POST', `/containers/create?name=${first}`, body)
  assert.match(await run('ls -A /x', { Binds: [`${own}:/x`] }), /^deep$/m)
  await engine.api.json('DELETE', `/containers/${first}?v=1`)
})

test('containers that are made at once on an empty volume get one filling', async () => {
  for (let round = 0; round < 3; round++) {
    const own = volume()
    const script = `echo $HOSTNAME >>/data/f; ls -A /data | wc -l`
    const outputs = await Promise.all(
      Array.from({ length: 6 }, () => run(script, { Binds: [`${own}:/data`] }, { Volumes: {} })),
    )
    assert.deepEqual(
      outputs,
      Array.from({ length: 6 }, () => '7'),
    )
    // Nobody's line was copied over.
    assert.equal(await run('wc -l </data/f', { Binds: [`${own}:/data`] }), '7')
  }
})

test('what the tests made can be removed', async () => {
  for (const own of volumes) await engine.api.json('DELETE', `/volumes/${own}?force=1`)
  await engine.api.json('DELETE', `/images/${await loadOnce()}?force=1`)
})
