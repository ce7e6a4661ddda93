import { detectCompression, magicBytes } from '@berth/archive'
import { procFd } from '@berth/linux'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { LayerTree } from '../layers/layer-tree.ts'
import { unpackLayer } from '../layers/unpack-layer.ts'
import { makeDirectories, relative } from './make-directory.ts'
import { type SourceSelection, withSources } from './selection.ts'
import type { AddArchiveTask } from './trees.ts'

const { O_NONBLOCK, O_RDONLY, S_IFMT, S_IFREG } = constants

/** Unpacks the one selected archive into a directory, whose missing parents are made. */
export async function addArchive(
  { selection, target, destination, owner }: AddArchiveTask,
  signal: AbortSignal,
): Promise<void> {
  using tree = new LayerTree(target, 'none')
  const path = relative(destination)
  makeDirectories(tree, path, owner ?? { uid: 0, gid: 0 })
  const directory = tree.directory(path)
  const fd = withSources(selection, ({ sources: [source] }) => openSync(procFd(source!.fd), O_RDONLY | O_NONBLOCK))
  try {
    const added = owner ? { owner } : {}
    await unpackLayer({ source: procFd(fd), target: procFd(directory), whiteouts: 'none', added }, signal)
  } finally {
    closeSync(fd)
  }
}

/** Whether the selection is one file that is a tar, plain or compressed. */
export function isArchive(selection: SourceSelection): boolean {
  return withSources(selection, ({ sources }) => {
    const [source] = sources
    if (!source || sources.length > 1 || (source.status.mode & S_IFMT) !== S_IFREG) return false
    const fd = openSync(procFd(source.fd), O_RDONLY | O_NONBLOCK)
    try {
      return looksLikeArchive(fd)
    } finally {
      closeSync(fd)
    }
  })
}

// POSIX pax(1): "ustar" stands at this place of a member's head.
const ustarOffset = 257

function looksLikeArchive(fd: number): boolean {
  const head = Buffer.alloc(512)
  const length = readSync(fd, head, 0, head.length, 0)
  if (length === 512 && head.toString('latin1', ustarOffset, ustarOffset + 5) === 'ustar') return true
  return detectCompression(head.subarray(0, Math.min(length, magicBytes))) !== 'none'
}
