import { type Descriptor, type Manifest, mediaTypes, sha256 } from '@berth/oci'
import type { ContentStore } from '@berth/storage'
import type { ImageRecord } from './image-store.ts'
import type { ImageLease } from './reclaimer.ts'

/** A manifest for a config and its layers, and its bytes. */
export function buildManifest(
  config: Uint8Array,
  layers: readonly Descriptor[],
): { manifest: Manifest; bytes: Buffer } {
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: sha256(config), size: config.length },
    layers: [...layers],
  }
  return { manifest, bytes: Buffer.from(JSON.stringify(manifest)) }
}

/** Stores the config and the manifest of a new image; names and the record come later, in one transaction. */
export async function storeNewImage(
  content: ContentStore,
  lease: ImageLease,
  { config, ...rest }: Pick<ImageRecord, 'config' | 'layers' | 'layerSizes' | 'parent' | 'lastTaggedAt'>,
): Promise<ImageRecord> {
  const configBytes = Buffer.from(JSON.stringify(config))
  const { bytes } = buildManifest(configBytes, rest.layers)
  const id = lease.broughtBlob(await content.put(configBytes))
  const digest = lease.broughtBlob(await content.put(bytes))
  return { ...rest, id, manifest: { mediaType: mediaTypes.manifest, digest, size: bytes.length }, config }
}
