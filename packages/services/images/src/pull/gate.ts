import type { Descriptor, Reference } from '@berth/oci'
import type { Repository } from '@berth/registry'

/** What is about to be pulled, before anything but its manifest was fetched. */
export interface PullCandidate {
  readonly reference: Reference
  /** What the reference stands for in the registry: a manifest or an index, its digest verified. */
  readonly target: Descriptor
  readonly repository: Repository
}

/** Decides what may be pulled. */
export interface PullGate {
  /** Throws `forbidden` with words for what may not. */
  admit(candidate: PullCandidate, signal: AbortSignal): Promise<void>
}
