import assert from 'node:assert/strict'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { openInRoot } from '../file/open-in-root.ts'
import { procFd } from '../file/at.ts'
import { attachMount, cloneMount } from '../mount/detached-mount.ts'
import { readMountInfo } from '../mount/mount-info.ts'
import { mount, setPropagation, unmount } from '../mount/mount.ts'
import { MountNamespace } from './mount-namespace.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-mntns-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const make = (name: string): string => {
  mkdirSync(join(directory, name))
  return join(directory, name)
}

/** The mount namespaces of all threads of this process. */
const namespaces = (): Set<string> =>
  new Set(readdirSync('/proc/self/task').map((id) => readlinkSync(`/proc/self/task/${id}/ns/mnt`)))

test('MountNamespace holds nothing of the host, and no thread stays in it', async () => {
  const before = readMountInfo().length
  const here = process.cwd()
  using namespace = new MountNamespace(directory)
  const inside = namespace.run(() => [existsSync('/proc'), existsSync('/etc'), readdirSync('/').length])
  assert.deepEqual(inside, [false, false, 0])
  assert.deepEqual([readMountInfo().length, process.cwd(), namespaces().size], [before, here, 1])
  await Promise.all(Array.from({ length: 8 }, () => readFile('/etc/passwd')))
  assert.equal(namespaces().size, 1)
})

test('MountNamespace.run() comes back when the work fails', () => {
  using namespace = new MountNamespace(directory)
  assert.throws(() => namespace.run(() => readFileSync('/etc/passwd')), { code: 'ENOENT' })
  assert.ok(existsSync('/etc/passwd'))
  assert.equal(namespaces().size, 1)
})

test('attachMount() composes trees that only the namespace sees', () => {
  const [root, volume] = [make('root'), make('volume')]
  mkdirSync(join(root, 'data'))
  writeFileSync(join(volume, 'inside'), 'x')
  using namespace = new MountNamespace(directory)
  const [rootFd, volumeFd] = [cloneMount(root), cloneMount(volume, { readOnly: true })]
  namespace.run(() => {
    mkdirSync('/1')
    const at = openSync('/1', 'r')
    attachMount(rootFd, at)
    closeSync(at)
    const target = openInRoot(rootFd, 'data')
    attachMount(volumeFd, target)
    closeSync(target)
  })
  assert.deepEqual(readdirSync(join(root, 'data')), [])
  const data = openInRoot(rootFd, 'data')
  assert.deepEqual(readdirSync(procFd(data)), ['inside'])
  assert.throws(() => writeFileSync(`${procFd(data)}/new`, ''), { code: 'EROFS' })
  for (const fd of [data, rootFd, volumeFd]) closeSync(fd)
  namespace.run(() => unmount('/1', { detach: true }))
})

test('cloneMount() opens no device, and mounts made in it do not reach a shared original', () => {
  const shared = make('shared')
  mount({ source: 'x', target: shared, type: 'tmpfs' })
  try {
    setPropagation(shared, 'shared')
    mkdirSync(join(shared, 'below'))
    const fd = cloneMount(shared)
    const inner = cloneMount(directory)
    using namespace = new MountNamespace(directory)
    namespace.run(() => {
      mkdirSync('/1')
      const at = openSync('/1', 'r')
      attachMount(fd, at)
      closeSync(at)
      const target = openInRoot(fd, 'below')
      attachMount(inner, target)
      closeSync(target)
    })
    assert.deepEqual(readdirSync(join(shared, 'below')), [])
    for (const open of [fd, inner]) closeSync(open)
    const dev = cloneMount('/dev')
    assert.throws(() => openInRoot(dev, 'null', { flags: 0 }), { code: 'EACCES' })
    closeSync(dev)
  } finally {
    unmount(shared, { detach: true })
  }
})
