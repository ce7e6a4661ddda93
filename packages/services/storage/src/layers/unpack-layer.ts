import {
  type Compression,
  decompress,
  defaultDecompressionLimits,
  type DecompressionLimits,
  TarParser,
} from '@berth/archive'
import { codeOf, releaseMemory } from '@berth/base'
import { type Digest, Digester } from '@berth/oci'
import { once } from 'node:events'
import { createReadStream, openSync, type ReadStream } from 'node:fs'
import { AddedMembers, type AddedRules } from './added-members.ts'
import { defaultLayerLimits, LayerApplier, type LayerLimits } from './apply-layer.ts'
import { LayerTree, type WhiteoutForm } from './layer-tree.ts'
import { usageOf } from './usage.ts'

export interface UnpackTask {
  /** The layer's file, compressed or not. */
  readonly source: string
  /** Looked for where `source` is gone: the file may be moved meanwhile. */
  readonly movedTo?: string
  /** An existing directory; it is of no use after a failure. */
  readonly target: string
  readonly whiteouts: WhiteoutForm
  /** It is no layer, but an archive that is added. */
  readonly added?: AddedRules
  /** The digest of `source` as it is, when somebody verified it: a plain tar need not be hashed again. */
  readonly blobDigest?: Digest
  readonly limits?: Partial<LayerLimits & DecompressionLimits>
}

export interface UnpackResult {
  readonly diffId: Digest
  /** As `usageOf()` counts. */
  readonly sizeBytes: number
  /** Whether the layer says what the root directory's owner and mode are. */
  readonly setsRoot: boolean
}

/** Unpacks a layer and computes its diff id in the same pass; reads the file to its end. */
export async function unpackLayer(task: UnpackTask, signal: AbortSignal): Promise<UnpackResult> {
  using tree = new LayerTree(task.target, task.whiteouts)
  using applier = new LayerApplier(tree, { ...defaultLayerLimits, ...task.limits })
  const parser = new TarParser(task.added ? new AddedMembers(applier, task.added) : applier)
  const digester = new Digester()
  let isVerified = false
  const limits = { ...defaultDecompressionLimits, ...task.limits }
  const onDetect = (compression: Compression) => (isVerified = compression === 'none' && task.blobDigest !== undefined)
  await using file = openFile(task)
  for await (const chunk of decompress(file.stream, limits, onDetect)) {
    signal.throwIfAborted()
    if (!isVerified) digester.update(chunk)
    parser.write(chunk)
    releaseMemory(chunk)
  }
  parser.finish()
  applier.finish()
  const diffId = isVerified && task.blobDigest ? task.blobDigest : digester.digest()
  return { diffId, sizeBytes: applier.sizeBytes ?? usageOf(tree.root), setsRoot: applier.setsRoot }
}

/** A file to read, which is closed when this is disposed of. */
function openFile(task: UnpackTask): AsyncDisposable & { readonly stream: ReadStream } {
  const stream = createReadStream('', { fd: openSource(task), highWaterMark: 512 << 10 })
  return {
    stream,
    async [Symbol.asyncDispose]() {
      if (stream.closed) return
      const closed = once(stream, 'close')
      stream.destroy()
      await closed
    },
  }
}

function openSource({ source, movedTo }: UnpackTask): number {
  try {
    return openSync(source, 'r')
  } catch (error) {
    if (movedTo === undefined || codeOf(error) !== 'ENOENT') throw error
    return openSync(movedTo, 'r')
  }
}
