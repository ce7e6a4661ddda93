import { codeOf, invalid, notFound } from '@berth/base'
import { O_PATH, openInRoot, procFd, readlinkat } from '@berth/linux'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { closeSync, constants, fstatSync, lstatSync, readdirSync, type Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type ReadFileRequest, type StatSchema, toGoMode } from '@berth/buildkit-protocol'

type Stat = MessageInitShape<typeof StatSchema>

/** An answer is one message. */
const maxFileBytes = 8 << 20

/** A file of what was built, or a part of it; resolved inside of the tree. */
export async function readFile(
  root: string,
  { filePath, range }: Pick<ReadFileRequest, 'filePath' | 'range'>,
): Promise<Buffer> {
  using place = openPlace(root, filePath)
  const status = fstatSync(place.fd)
  if (!status.isFile()) throw invalid(`${filePath} is no file`)
  const [offset, wanted] = [Number(range?.offset ?? 0), Number(range?.length ?? 0)]
  if (offset < 0) throw invalid(`${filePath} has no offset ${offset}`)
  if (wanted < 0) throw invalid(`${filePath} has no part of ${wanted} bytes`)
  const length = Math.min(wanted || status.size, Math.max(0, status.size - offset))
  if (length > maxFileBytes) throw invalid(`${filePath} is larger than ${maxFileBytes} bytes`)
  await using file = await open(procFd(place.fd), 'r')
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset)
  return buffer.subarray(0, bytesRead)
}

/** The entries of a directory, sorted. */
export async function readDirectory(root: string, path: string): Promise<Stat[]> {
  using place = openPlace(root, path)
  if (!fstatSync(place.fd).isDirectory()) throw invalid(`${path} is no directory`)
  const directory = procFd(place.fd)
  return readdirSync(directory)
    .toSorted()
    .map((name) => statOf(name, lstatSync(join(directory, name))))
}

export function statFile(root: string, path: string): Stat {
  using place = openPlace(root, path, constants.O_NOFOLLOW)
  const status = fstatSync(place.fd)
  const linkname = status.isSymbolicLink() ? readlinkat(place.fd, '').toString() : ''
  return { ...statOf(basename(path), status), linkname }
}

function openPlace(root: string, path: string, flags = 0): Disposable & { readonly fd: number } {
  try {
    const fd = openInRoot(root, path.replace(/^\/+/, '') || '.', { flags: O_PATH | flags })
    return { fd, [Symbol.dispose]: () => closeSync(fd) }
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') {
      throw notFound(`open ${path}: no such file or directory`, error)
    }
    throw error
  }
}

const statOf = (path: string, status: Stats): Stat => ({
  path,
  mode: toGoMode(status.mode),
  uid: status.uid,
  gid: status.gid,
  size: BigInt(status.size),
  modTime: BigInt(Math.round(status.mtimeMs * 1e6)),
})
