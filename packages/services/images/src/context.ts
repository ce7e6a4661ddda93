import type { Logger } from '@berth/base'
import type { Digest } from '@berth/oci'
import type { Events } from '@berth/events'
import type { ContentStore, DiskSpace, Snapshots } from '@berth/storage'
import type { ImageUse } from './images.ts'
import type { ImageStore } from './image-store.ts'
import type { Reclaimer } from './reclaimer.ts'

/** What every use case of this service works with. */
export interface ImagesContext {
  readonly store: ImageStore
  readonly content: ContentStore
  readonly snapshots: Snapshots
  readonly events: Events
  readonly logger: Logger
  readonly reclaimer: Reclaimer
  /** Asked before work that writes much. */
  readonly space: Pick<DiskSpace, 'require'>
  readonly uses: () => readonly ImageUse[]
}

/** An image's event carries its labels, and its name or else its id; called after the fact. `subject`: see `pull`. */
export function announce(
  context: ImagesContext,
  action: string,
  id: Digest,
  name: string = id,
  subject: string = id,
): void {
  const labels = context.store.images.get(id)?.config.config?.Labels
  context.events.publish('image', action, subject, { ...labels, name })
}
