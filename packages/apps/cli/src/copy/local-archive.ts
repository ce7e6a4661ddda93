import { decodeName, type EntryType, tarEntry, TarPacker } from '@berth/archive'
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
} from 'node:fs'
import { type CopyInfo, splitDirectoryEntry } from './copy-paths.ts'
import { type Renaming, renamed } from './rename-entries.ts'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

/**
 * A local file or directory as a tar in chunks: entries begin with the path's last name, in its place with the name that
 * the copy is to have. Owners, modes and hard links are kept; sockets are left out. Files that shrink while they are read
 * are made up with zeros.
 */
export function* packLocal({ path, rebaseName }: CopyInfo, rename?: Renaming): Generator<Buffer> {
  const { directory, name } = splitDirectoryEntry(path)
  const own = rebaseName === '' ? undefined : { from: name, to: rebaseName === '/' ? '' : rebaseName }
  const packing: Packing = {
    packer: new TarPacker(),
    links: new Map(),
    nameOf: (entry) => renamed(renamed(entry, own), rename),
  }
  yield* packEntry(packing, Buffer.from(`${directory === '/' ? '' : directory}/${name === '/' ? '' : name}`), name)
  packing.packer.finish()
  yield* packing.packer.take()
}

interface Packing {
  readonly packer: TarPacker
  /** Entry of each file that has several names. */
  readonly links: Map<string, string>
  readonly nameOf: (entry: string) => string
}

function* packEntry(packing: Packing, path: Buffer, entry: string): Generator<Buffer> {
  const status = lstatSync(path)
  if (status.isDirectory()) yield* packDirectory(packing, path, { entry, status })
  else yield* packFile(packing, path, { entry, status })
  if (packing.packer.hasChunk) yield* packing.packer.take()
}

interface Item {
  readonly entry: string
  readonly status: Stats
}

function* packDirectory(packing: Packing, path: Buffer, { entry, status }: Item): Generator<Buffer> {
  const below = entry.endsWith('/') ? entry : `${entry}/`
  packing.packer.header(tarEntry({ path: packing.nameOf(below), type: 'directory', ...metadataOf(status) }))
  for (const name of readdirSync(path, { encoding: 'buffer' }).toSorted(Buffer.compare)) {
    yield* packEntry(packing, Buffer.concat([path, slash, name]), below + decodeName(name))
  }
}

const slash = Buffer.from('/')

function* packFile(packing: Packing, path: Buffer, { entry, status }: Item): Generator<Buffer> {
  const type = typeOf(status)
  if (type === undefined) return
  const name = packing.nameOf(entry)
  const key = status.nlink > 1 ? `${status.dev}:${status.ino}` : ''
  const first = packing.links.get(key)
  if (first !== undefined) {
    packing.packer.header(tarEntry({ path: name, type: 'hardlink', linkPath: first, ...metadataOf(status) }))
    return
  }
  if (key !== '') packing.links.set(key, name)
  if (type === 'file') return yield* packContent(packing.packer, path, { entry: name, status })
  const linkPath = type === 'symlink' ? decodeName(readlinkSync(path, { encoding: 'buffer' })) : ''
  packing.packer.header(tarEntry({ path: name, type, linkPath, ...metadataOf(status), ...deviceOf(status) }))
}

function* packContent(packer: TarPacker, path: Buffer, { entry, status }: Item): Generator<Buffer> {
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const { size } = fstatSync(fd)
    packer.header(tarEntry({ path: entry, sizeBytes: size, ...metadataOf(status) }))
    while (packer.contentLeft > 0) {
      const count = packer.fill((target) => readSync(fd, target))
      if (packer.hasChunk) yield* packer.take()
      if (count === 0) packer.zeros(Math.min(packer.contentLeft, 1 << 20))
    }
  } finally {
    closeSync(fd)
  }
}

function metadataOf({ mode, uid, gid, mtimeMs }: Stats) {
  return { mode: mode & 0o7777, uid, gid, mtime: { seconds: Math.floor(mtimeMs / 1000), nanoseconds: 0 } }
}

function typeOf(status: Stats): EntryType | undefined {
  if (status.isFile()) return 'file'
  if (status.isSymbolicLink()) return 'symlink'
  if (status.isFIFO()) return 'fifo'
  if (status.isBlockDevice()) return 'block'
  return status.isCharacterDevice() ? 'character' : undefined
}

/** st_rdev as glibc packs it (makedev(3)). */
function deviceOf(status: Stats): { deviceMajor: number; deviceMinor: number } {
  if (!status.isBlockDevice() && !status.isCharacterDevice()) return { deviceMajor: 0, deviceMinor: 0 }
  const device = BigInt(status.rdev)
  const deviceMajor = Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n))
  const deviceMinor = Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n))
  return { deviceMajor, deviceMinor }
}
