import type { Descriptor, Digest, ImageConfig, Reference } from '@berth/oci'

/** An image found in an archive, its blobs in the store, nothing unpacked yet. */
export interface Candidate {
  readonly configBytes: Buffer
  readonly config: ImageConfig
  readonly layers: readonly Descriptor[]
  /** The manifest as the archive has it; built when it has none. */
  readonly manifest?: { readonly descriptor: Descriptor; readonly bytes: Buffer }
  readonly references: readonly Reference[]
  /** What the references stand for when that is more than this image. */
  readonly index?: Descriptor
  /** The id of the image it was built on, if the archive says so and has it. */
  readonly parent?: Digest
}
