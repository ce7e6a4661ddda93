import { mediaTypes } from '@berth/oci'
import type { ManifestEntry } from './entry.ts'

export interface RenderedList {
  readonly mediaType: string
  /** What is pushed, to the byte. */
  readonly text: string
}

/** The list of entries as docker writes it: an OCI index when its first image is one of OCI. */
export function renderList(entries: readonly ManifestEntry[]): RenderedList {
  const isOci = entries[0]?.Descriptor.mediaType === mediaTypes.manifest
  const mediaType = isOci ? mediaTypes.index : mediaTypes.dockerManifestList
  const manifests = entries.map(({ Descriptor: { mediaType: type, size, digest, platform } }) => ({
    mediaType: type,
    size,
    digest,
    platform,
  }))
  return { mediaType, text: JSON.stringify({ schemaVersion: 2, mediaType, manifests }, undefined, 3) }
}
