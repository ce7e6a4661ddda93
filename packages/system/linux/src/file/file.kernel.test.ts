import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { mount, unmount } from '../mount/mount.ts'
import {
  fchmodat,
  fchownat,
  linkat,
  mkdirat,
  mknodat,
  procFd,
  readlinkat,
  renameat2,
  symlinkat,
  unlinkat,
  utimensat,
} from './at.ts'
import { AT_EMPTY_PATH, AT_FDCWD, AT_REMOVEDIR, O_PATH, RENAME_NOREPLACE, RESOLVE_BENEATH } from './constants.ts'
import { isTmpfs, kernelVersion, lastCapability } from './file-system.ts'
import { lockFile } from './lock.ts'
import { openInRoot, openInRootIfThere } from './open-in-root.ts'
import { spreadSubdirectories } from './spread.ts'
import { fstatat } from './statx.ts'
import { getXattr, listXattrs, removeXattr, setXattr } from './xattr.ts'

const base = mkdtempSync(join(tmpdir(), 'berth-file-'))
mount({ source: 'tmpfs', target: base, type: 'tmpfs' })
let count = 0
let root: string
let fd: number

beforeEach(() => {
  if (fd !== undefined) closeSync(fd)
  root = join(base, `${count++}`)
  mkdirSync(root)
  fd = openSync(root, O_PATH | constants.O_DIRECTORY)
})
after(() => {
  closeSync(fd)
  unmount(base)
  rmSync(base, { recursive: true })
})

const statusOf = (name: string) => fstatat(fd, name)
const write = constants.O_CREAT | constants.O_WRONLY | constants.O_EXCL

test('openInRoot() resolves .. and absolute symlinks inside the root', () => {
  mkdirSync(join(root, 'etc'))
  symlinkSync('/etc', join(root, 'absolute'))
  symlinkSync('../../../../../../etc', join(root, 'upwards'))
  for (const path of ['etc/a', '/absolute/b', 'upwards/c', '../../../etc/d']) {
    closeSync(openInRoot(fd, path, { flags: write, mode: 0o600 }))
  }
  assert.deepEqual(readdirSync(join(root, 'etc')).toSorted(), ['a', 'b', 'c', 'd'])
})

test('openInRoot() follows no magic link out of the root', () => {
  symlinkSync(`/proc/self/fd/${fd}`, join(root, 'magic'))
  assert.throws(() => openInRoot(fd, 'magic'), { code: 'ENOENT' })
  mkdirSync(join(root, 'proc'))
  mount({ source: 'proc', target: join(root, 'proc'), type: 'proc' })
  assert.throws(() => openInRoot(fd, '/proc/self/cwd'), { code: 'ELOOP' })
  unmount(join(root, 'proc'))
})

test('openInRootIfThere() is undefined where nothing is there, and refuses the rest as openInRoot() does', () => {
  closeSync(openInRoot(fd, 'file', { flags: write }))
  symlinkSync('loop', join(root, 'loop'))
  for (const path of ['none', 'none/below', 'file/below']) assert.equal(openInRootIfThere(fd, path), undefined)
  assert.throws(() => openInRootIfThere(fd, 'loop'), { code: 'ELOOP' })
  closeSync(openInRootIfThere(fd, 'file') ?? assert.fail('it is there'))
})

test('openInRoot() with RESOLVE_BENEATH refuses what leads out', () => {
  symlinkSync('/etc', join(root, 'out'))
  assert.throws(() => openInRoot(fd, 'out/passwd', { resolve: RESOLVE_BENEATH }), { code: 'EXDEV' })
})

test('openInRoot() takes a path as root, names that are no UTF-8, and refuses a NUL', () => {
  const name = Buffer.from([0x66, 0xff, 0x67])
  closeSync(openInRoot(root, name, { flags: write }))
  assert.deepEqual(readdirSync(root, { encoding: 'buffer' }), [name])
  assert.throws(() => openInRoot(root, 'a\0b'), { code: 'EINVAL' })
  assert.throws(() => openInRoot(root, Buffer.from('a\0b')), { code: 'EINVAL' })
})

test('mknodat() makes devices whose numbers need more than a byte', () => {
  mknodat(fd, 'zero', constants.S_IFCHR | 0o666, { major: 1, minor: 5 })
  mknodat(fd, 'big', constants.S_IFBLK | 0o600, { major: 4095, minor: 1048575 })
  mknodat(fd, 'fifo', constants.S_IFIFO | 0o600)
  assert.deepEqual(statusOf('zero').rdev, { major: 1, minor: 5 })
  assert.deepEqual(statusOf('big').rdev, { major: 4095, minor: 1048575 })
  assert.equal(statusOf('fifo').mode & constants.S_IFMT, constants.S_IFIFO)
})

test('mkdirat(), symlinkat(), linkat(), renameat2() and unlinkat() work on one directory', () => {
  mkdirat(fd, 'd', 0o711)
  symlinkat('/the/target', fd, 'd/link')
  linkat(fd, 'd/link', fd, 'hard')
  assert.equal(readlinkat(fd, 'hard').toString(), '/the/target')
  assert.deepEqual([statusOf('hard').nlink, statusOf('d').mode & 0o7777], [2, 0o711])
  assert.throws(() => renameat2(fd, 'hard', fd, 'd', RENAME_NOREPLACE), { code: 'EEXIST' })
  renameat2(fd, 'hard', fd, 'd/link')
  unlinkat(fd, 'd/link')
  // Two names of one file: rename does nothing (rename(2)), so that `hard` is still there.
  unlinkat(fd, 'hard')
  unlinkat(fd, 'd', AT_REMOVEDIR)
  assert.deepEqual(readdirSync(root), [])
})

test('fchownat(), fchmodat() and utimensat() set a symlink and, through procFd(), an O_PATH descriptor', () => {
  symlinkat('nowhere', fd, 'link')
  fchownat(fd, 'link', { uid: 4294967294, gid: 7 })
  utimensat(fd, 'link', { atimeNs: -1n, mtimeNs: 1_700_000_000_123_456_789n })
  const { uid, gid, atimeNs, mtimeNs } = statusOf('link')
  assert.deepEqual(
    { uid, gid, atimeNs, mtimeNs },
    { uid: 4294967294, gid: 7, atimeNs: -1n, mtimeNs: 1_700_000_000_123_456_789n },
  )
  writeFileSync(join(root, 'file'), '')
  const file = openInRoot(fd, 'file')
  fchmodat(AT_FDCWD, procFd(file), 0o4755)
  fchownat(file, '', { uid: 1, gid: 2 }, AT_EMPTY_PATH)
  const status = fstatat(file, '', AT_EMPTY_PATH)
  closeSync(file)
  assert.deepEqual([status.mode & 0o7777, status.uid, status.gid], [0o755, 1, 2])
})

test('setXattr(), getXattr(), listXattrs() and removeXattr() take paths, descriptors and symlinks', () => {
  writeFileSync(join(root, 'file'), '')
  symlinkSync('file', join(root, 'link'))
  const value = Buffer.from([1, 0, 2])
  setXattr(join(root, 'link'), 'trusted.on-link', value)
  const file = openInRoot(fd, 'file')
  setXattr(file, 'security.capability', capability)
  setXattr(file, 'trusted.empty', Buffer.alloc(0))
  assert.deepEqual(listXattrs(join(root, 'link')), ['trusted.on-link'])
  assert.deepEqual(listXattrs(file).toSorted(), ['security.capability', 'trusted.empty'])
  assert.deepEqual(getXattr(join(root, 'link'), 'trusted.on-link'), value)
  assert.deepEqual(getXattr(file, 'security.capability'), capability)
  assert.equal(getXattr(file, 'trusted.none'), undefined)
  removeXattr(file, 'trusted.empty')
  assert.throws(() => removeXattr(file, 'trusted.empty'), { code: 'ENODATA' })
  assert.throws(() => getXattr(join(root, 'missing'), 'trusted.x'), { code: 'ENOENT', path: join(root, 'missing') })
  closeSync(file)
})

// struct vfs_cap_data, revision 2, cap_net_bind_service+ep
const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex')

test('lockFile() excludes a second holder until disposed', () => {
  const path = join(root, 'lock')
  {
    using _ = lockFile(path)
    assert.throws(() => lockFile(path), { syscall: 'flock', code: 'EAGAIN' })
  }
  lockFile(path)[Symbol.dispose]()
})

test('isTmpfs(), kernelVersion() and lastCapability() describe this machine', () => {
  assert.equal(isTmpfs(root), true)
  assert.ok(kernelVersion().major >= 4)
  assert.ok(lastCapability() >= 37)
})

test('openInRoot() and its kin work in a Worker', async () => {
  const source = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData.module).then((linux) => {
      const fd = linux.openInRoot(workerData.root, 'from-worker', { flags: ${write | constants.O_RDWR} })
      linux.setXattr(fd, 'trusted.x', Buffer.from('y'))
      const names = linux.listXattrs(fd)
      require('node:fs').closeSync(fd)
      parentPort.postMessage(names)
    })`
  const module = new URL('../index.ts', import.meta.url).href
  const worker = new Worker(source, { eval: true, workerData: { module, root } })
  const names = await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject))
  await worker.terminate()
  assert.deepEqual(names, ['trusted.x'])
  assert.deepEqual(readdirSync(root), ['from-worker'])
})

test('openInRoot() returns a descriptor that node:fs writes to', () => {
  const file = openInRoot(fd, 'file', { flags: write })
  writeSync(file, 'text')
  assert.equal(fstatSync(file).size, 4)
  closeSync(file)
  assert.equal(readFileSync(join(root, 'file'), 'utf8'), 'text')
})

test('spreadSubdirectories() tells ext4, and nothing to a file system that knows no such hint', () => {
  const [disk, target] = [join(root, 'disk'), join(root, 'mounted')]
  mkdirSync(target)
  spreadSubdirectories(target)
  writeFileSync(disk, '')
  truncateSync(disk, 8 << 20)
  execFileSync('mkfs.ext4', ['-q', disk])
  execFileSync('mount', ['-o', 'loop', disk, target])
  try {
    spreadSubdirectories(target)
    spreadSubdirectories(target)
    assert.match(execFileSync('lsattr', ['-d', target], { encoding: 'utf8' }), /^[^ ]*T/)
  } finally {
    execFileSync('umount', [target])
  }
})
