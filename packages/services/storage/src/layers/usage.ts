import { closeSync, constants } from 'node:fs'
import { ifThere, isDirectory, namesIn, openDirectory, statusOf } from './directory.ts'

/**
 * Bytes of all files below an open directory: their lengths rather than their blocks, a file with several names once,
 * directories not at all. This is what Docker calls the size of a layer.
 */
export function usageOf(fd: number): number {
  return usageBelow(fd, new Set())
}

function usageBelow(fd: number, seen: Set<bigint>): number {
  let bytes = 0
  for (const name of namesIn(fd)) {
    const status = statusOf(fd, name)
    if (!status) continue
    if (isDirectory(status)) {
      bytes += within(fd, name, (child) => usageBelow(child, seen))
    } else if (status.nlink === 1 || !seen.has(status.ino)) {
      if (status.nlink > 1) seen.add(status.ino)
      if ((status.mode & constants.S_IFMT) !== constants.S_IFCHR) bytes += status.sizeBytes
    }
  }
  return bytes
}

function within(parent: number, name: string, work: (fd: number) => number): number {
  const fd = ifThere(() => openDirectory(parent, name))
  if (fd === undefined) return 0
  try {
    return work(fd)
  } finally {
    closeSync(fd)
  }
}
