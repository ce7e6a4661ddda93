import type { AuthConfig } from '@berth/engine-api'
import { type Descriptor, parseReference, type Reference, withDefaultTag } from '@berth/oci'
import type { Repository } from '@berth/registry'
import type { ContentStore } from '@berth/storage'
import type { ImageLayer } from '../images.ts'
import { isPlain } from '../push/plan-push.ts'
import { pushLayer } from '../push/push-layer.ts'
import type { Transfers } from '../pull/transfers.ts'

/** A repository, and how layers go to it and come from it. */
export interface OpenRepository {
  readonly reference: Reference
  readonly repository: Repository
  /** Sees to it that the repository has the layer, compressed where it was made here; returns its descriptor there. */
  pushLayer(layer: ImageLayer, signal: AbortSignal): Promise<Descriptor>
  /** Brings a blob into the store, verified; it is the caller's to keep. */
  fetchBlob(blob: Descriptor, signal: AbortSignal): Promise<void>
}

/** The repository of a reference, as this user sees it. */
export function openRepository(
  content: ContentStore,
  { registries, known, uploadSlots: slots, downloads }: Transfers,
  { reference: text, auth }: { readonly reference: string; readonly auth?: AuthConfig | undefined },
): OpenRepository {
  const reference = withDefaultTag(parseReference(text))
  const repository = registries.repository(reference, auth)
  return {
    reference,
    repository,
    pushLayer: async ({ descriptor, diffId }, signal) => {
      const layer = {
        diffId,
        stored: descriptor,
        isCompressed: isPlain(descriptor) && !known.hasSource(descriptor.digest),
      }
      const pushed = await pushLayer({ content, known, slots, repository, signal }, layer, () => {})
      return pushed.descriptor
    },
    fetchBlob: async (descriptor, signal) => void (await downloads.fetch({ descriptor, repository, signal })),
  }
}
