import { messageOf } from '@berth/base'
import type { ImageLayer } from '@berth/images'
import type { Context } from '../../context.ts'
import { chainOf, type FileSystem } from '../../filesystem.ts'
import type { CachedElsewhere } from './cache-document.ts'
import type { CacheSource } from './cache-store.ts'

export interface StepToBring {
  readonly key: string
  /** What it stands on. */
  readonly on: FileSystem
  readonly sources: readonly CacheSource[]
  readonly signal: AbortSignal
}

/** Takes a step out of the first imported cache that has it, and remembers it as if it had been done here. */
export async function bringStep(context: Context, { key, on, sources, signal }: StepToBring): Promise<void> {
  for (const source of sources) {
    const step = source.steps.get(key)
    if (!step) continue
    try {
      const layer = step.layer && (await bringLayer(context, { source, layer: step.layer, on, signal }))
      context.cache.put(key, layer, step)
      return
    } catch (error) {
      signal.throwIfAborted()
      // The step can be done all the same.
      context.logger.warn({ key, error: messageOf(error) }, 'builder: a step of an imported cache could not be had')
    }
  }
}

interface LayerToBring {
  readonly source: CacheSource
  readonly layer: NonNullable<CachedElsewhere['layer']>
  readonly on: FileSystem
  readonly signal: AbortSignal
}

async function bringLayer({ storage }: Context, { source, layer, on, signal }: LayerToBring): Promise<ImageLayer> {
  const { content, snapshots, leases } = storage
  const { descriptor, diffId } = layer
  using lease = leases.acquire()
  lease.keep(...on.layers.map(({ chainId }) => chainId), descriptor.digest)
  await source.fetchBlob(descriptor, signal)
  const blob = { path: content.pathOf(descriptor.digest), diffId, blobDigest: descriptor.digest }
  const { chainId, sizeBytes } = await snapshots.unpack(chainOf(on), blob, signal)
  return { descriptor, diffId, chainId, sizeBytes }
}
