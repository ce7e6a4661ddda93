import { decompress, defaultDecompressionLimits, detectCompression, magicBytes, peek, TarParser } from '@berth/archive'
import { codeOf, invalid, notFound } from '@berth/base'
import { isWritable, mountIdOf, openInRoot } from '@berth/linux'
import { closeSync, constants } from 'node:fs'
import { type CopyRules, LayerApplier } from '../layers/apply-layer.ts'
import { kernelName } from '../layers/directory.ts'
import { LayerTree } from '../layers/layer-tree.ts'
import { belowRoot } from './container-path.ts'
import { pathError } from './stat-path.ts'

export interface ExtractTask extends Omit<CopyRules, 'destination'> {
  /** An existing directory of the container, its last link followed. */
  readonly path: string
  /** Nothing may be written but to volumes. */
  readonly isRootReadOnly: boolean
}

const limits = { maxFileBytes: Number.POSITIVE_INFINITY, maxEntries: Number.POSITIVE_INFINITY }
const decompression = { ...defaultDecompressionLimits, maxBytes: Number.POSITIVE_INFINITY }

/**
 * Unpacks an archive, compressed or not, into a directory of the tree `root`. Each name is resolved by the kernel with
 * that directory as its root. What was unpacked before an error stays. A chunk of `source` but the first may be lent
 * until the next is asked for.
 */
export async function extractInto(
  root: number,
  task: ExtractTask,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  using tree = new LayerTree(openTarget(root, task), 'none')
  using applier = new LayerApplier(tree, limits, { ...task, destination: task.path })
  const parser = new TarParser(applier)
  let isEmpty = true
  for await (const chunk of await plain(source)) {
    signal.throwIfAborted()
    isEmpty = false
    parser.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
  }
  if (isEmpty) return
  parser.finish()
  applier.finish()
}

/** A plain archive as it comes: its chunks may be lent. A decompressor, which keeps them for a while, gets copies. */
async function plain(source: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const { head, whole } = await peek(source, magicBytes)
  return detectCompression(head) === 'none' ? whole : decompress(copied(whole), decompression)
}

async function* copied(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) yield Buffer.from(chunk)
}

function openTarget(root: number, { path, isRootReadOnly }: ExtractTask): number {
  const fd = openDirectoryAt(root, path)
  try {
    if (mountIdOf(fd) === mountIdOf(root)) {
      if (isRootReadOnly) throw invalid('container rootfs is marked read-only')
    } else if (!isWritable(fd)) {
      throw invalid('mounted volume is marked read-only')
    }
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function openDirectoryAt(root: number, path: string): number {
  if (path.includes('\0')) throw invalid(`lstat ${path}: invalid argument`)
  try {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY
    return openInRoot(root, kernelName(belowRoot(path)), { flags })
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') throw notFound(`${path} does not exist`, error)
    if (code === 'ENOTDIR' && !path.endsWith('/')) throw invalid('extraction point is not a directory', error)
    throw pathError(path, error)
  }
}
