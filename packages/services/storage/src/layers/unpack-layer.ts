import { decompress, defaultDecompressionLimits, type DecompressionLimits, TarParser } from '@berth/archive'
import { type Digest, Digester } from '@berth/oci'
import { createReadStream } from 'node:fs'
import { defaultLayerLimits, LayerApplier, type LayerLimits } from './apply-layer.ts'
import { LayerTree, type WhiteoutForm } from './layer-tree.ts'
import { usageOf } from './usage.ts'

export interface UnpackTask {
  /** The layer's file, compressed or not. */
  readonly source: string
  /** An existing directory; it is of no use after a failure. */
  readonly target: string
  readonly whiteouts: WhiteoutForm
  /** The digest of `source` as it is, when somebody verified it: a plain tar need not be hashed again. */
  readonly blobDigest?: Digest
  readonly limits?: Partial<LayerLimits & DecompressionLimits>
}

export interface UnpackResult {
  readonly diffId: Digest
  /** As `usageOf()` counts. */
  readonly sizeBytes: number
}

/** Unpacks a layer and computes its diff id in the same pass; reads the file to its end. */
export async function unpackLayer(task: UnpackTask, signal: AbortSignal): Promise<UnpackResult> {
  using tree = new LayerTree(task.target, task.whiteouts)
  using applier = new LayerApplier(tree, { ...defaultLayerLimits, ...task.limits })
  const parser = new TarParser(applier)
  const digester = new Digester()
  const file = createReadStream(task.source, { highWaterMark: 512 << 10 })
  const compressed = { isPlain: false }
  const chunks = decompress(file, { ...defaultDecompressionLimits, ...task.limits }, (compression) => {
    compressed.isPlain = compression === 'none'
  })
  for await (const chunk of chunks) {
    signal.throwIfAborted()
    if (!compressed.isPlain || !task.blobDigest) digester.update(chunk)
    parser.write(chunk)
  }
  parser.finish()
  applier.finish()
  const diffId = compressed.isPlain && task.blobDigest ? task.blobDigest : digester.digest()
  return { diffId, sizeBytes: applier.sizeBytes ?? usageOf(tree.root) }
}
