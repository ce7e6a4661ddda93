import type { Descriptor, Manifest } from '@berth/oci'

/** One image of a manifest list that is being made, as docker writes it to a file. */
export interface ManifestEntry {
  readonly Ref: string
  readonly Descriptor: Descriptor
  /** The manifest as it came, in base64. */
  readonly Raw: string
  readonly SchemaV2Manifest?: Manifest
  readonly OCIManifest?: Manifest
}

export const bytesOf = ({ Raw }: ManifestEntry): Buffer => Buffer.from(Raw, 'base64')

/** What an entry's manifest needs to be in its repository. */
export const blobsOf = ({ SchemaV2Manifest, OCIManifest }: ManifestEntry): Descriptor[] => {
  const manifest = SchemaV2Manifest ?? OCIManifest
  return manifest ? [manifest.config, ...manifest.layers] : []
}
