import { constants } from 'node:fs'

const { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } = constants

/** Bits of Go's FileMode: https://pkg.go.dev/io/fs#FileMode */
const go = {
  directory: 1 << 31,
  symlink: 1 << 27,
  device: 1 << 26,
  fifo: 1 << 25,
  socket: 1 << 24,
  setuid: 1 << 23,
  setgid: 1 << 22,
  characterDevice: 1 << 21,
  sticky: 1 << 20,
} as const

const special: readonly (readonly [go: number, unix: number])[] = [
  [go.setuid, 0o4000],
  [go.setgid, 0o2000],
  [go.sticky, 0o1000],
]

/** The kernel's mode (inode(7)) for Go's; the type is 0 when it is none that can be made. */
export function fromGoMode(mode: number): number {
  return typeOf(mode) | permissions(mode)
}

function typeOf(mode: number): number {
  if (mode & go.directory) return S_IFDIR
  if (mode & go.symlink) return S_IFLNK
  if (mode & go.device) return mode & go.characterDevice ? S_IFCHR : S_IFBLK
  if (mode & go.fifo) return S_IFIFO
  if (mode & go.socket) return S_IFSOCK
  return mode & (1 << 19) ? 0 : S_IFREG
}

const permissions = (mode: number): number =>
  special.reduce((bits, [from, to]) => bits | (mode & from ? to : 0), mode & 0o777)

/** Go's mode for the kernel's, unsigned. */
export function toGoMode(mode: number): number {
  const bits = special.reduce((found, [to, from]) => found | (mode & from ? to : 0), mode & 0o777)
  return (bits | goType(mode & S_IFMT)) >>> 0
}

function goType(type: number): number {
  switch (type) {
    case S_IFDIR:
      return go.directory
    case S_IFLNK:
      return go.symlink
    case S_IFBLK:
      return go.device
    case S_IFCHR:
      return go.device | go.characterDevice
    case S_IFIFO:
      return go.fifo
    case S_IFSOCK:
      return go.socket
    default:
      return 0
  }
}
