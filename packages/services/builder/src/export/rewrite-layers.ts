import { decompress } from '@berth/archive'
import type { ImageLayer } from '@berth/images'
import { type Digest, mediaTypes } from '@berth/oci'
import type { Lease } from '@berth/storage'
import type { Context } from '../context.ts'
import type { StageState } from '../stages/stage-state.ts'
import { notAfter, withTimes } from './tar-times.ts'

/** The state with no file of its own layers later than `epochSeconds`; those of the base stay. `lease` keeps what is new. */
export async function rewriteLayers(
  context: Context,
  state: StageState,
  { epochSeconds, lease }: { readonly epochSeconds: number; readonly lease: Lease },
): Promise<StageState> {
  const own = new Set(state.steps.flatMap(({ layer }) => layer?.chainId ?? []))
  const layers: ImageLayer[] = []
  for (const layer of state.fileSystem.layers) {
    const parent = layers.at(-1)
    layers.push(own.has(layer.chainId) ? await rewriteLayer(context, { layer, parent, epochSeconds, lease }) : layer)
  }
  return { ...state, fileSystem: { layers } }
}

interface Rewriting {
  readonly layer: ImageLayer
  readonly parent: ImageLayer | undefined
  readonly epochSeconds: number
  readonly lease: Lease
}

async function rewriteLayer(
  { storage }: Context,
  { layer, parent, epochSeconds, lease }: Rewriting,
): Promise<ImageLayer> {
  const { content, snapshots } = storage
  const plain = decompress(content.open(layer.descriptor.digest))
  const blob = await content.ingest(withTimes(plain, notAfter({ seconds: epochSeconds, nanoseconds: 0 })))
  lease.keep(blob.digest)
  const source = { path: content.pathOf(blob.digest), diffId: blob.digest, blobDigest: blob.digest }
  const { chainId, sizeBytes } = await snapshots.unpack(parent?.chainId, source)
  lease.keep(chainId)
  const descriptor = { mediaType: mediaTypes.layerTar, digest: blob.digest as Digest, size: blob.sizeBytes }
  return { descriptor, diffId: blob.digest, chainId, sizeBytes }
}
