import type { Digest } from '@berth/oci'
import type { ImagesContext } from './context.ts'
import { chainIdsOf, type ImageRecord, type ImageStore } from './image-store.ts'

/**
 * Which unpacked layers go with images that are deleted one after the other. To count is to go through everything that is
 * here: it is done once, for work during which nothing else happens.
 */
export class LayerUses {
  readonly #context: Pick<ImagesContext, 'store' | 'reclaimer'>
  #found: { readonly users: Map<Digest, number>; readonly spared: ReadonlySet<Digest> } | undefined

  constructor(context: Pick<ImagesContext, 'store' | 'reclaimer'>) {
    this.#context = context
  }

  /** To be called before `image` is dropped: those of its layers that nothing else keeps then, base first. */
  release(image: ImageRecord): Digest[] {
    const { store, reclaimer } = this.#context
    const { users, spared } = (this.#found ??= { users: countUsers(store), spared: reclaimer.sparedLayers() })
    return chainIdsOf(image).filter((chainId) => {
      const others = (users.get(chainId) ?? 1) - 1
      users.set(chainId, others)
      return others === 0 && !spared.has(chainId)
    })
  }
}

/** Images that have each layer. */
function countUsers(store: ImageStore): Map<Digest, number> {
  const users = new Map<Digest, number>()
  for (const image of store.images.values()) {
    for (const chainId of chainIdsOf(image)) users.set(chainId, (users.get(chainId) ?? 0) + 1)
  }
  return users
}
