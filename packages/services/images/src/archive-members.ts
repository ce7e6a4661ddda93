import { type TarEntry, tarEntry, type TarSource } from '@berth/archive'
import { algorithmOf, type Digest } from '@berth/oci'
import type { BlobInfo, ContentStore } from '@berth/storage'
import { openSound } from './sound-blobs.ts'

/** Members of an OCI layout (image-layout.md). */
export const blobPath = (digest: Digest): string => `blobs/${digest.replace(':', '/')}`

export function jsonMember(path: string, document: unknown): TarSource {
  const content = Buffer.from(JSON.stringify(document))
  return { entry: tarEntry({ path, sizeBytes: content.length }), content }
}

export const layoutMember: TarSource = jsonMember('oci-layout', { imageLayoutVersion: '1.0.0' })

/** The directories that these blobs are in. */
export function* blobDirectories(digests: readonly Digest[]): Generator<TarSource> {
  yield { entry: tarEntry({ path: 'blobs/', type: 'directory' }) }
  for (const algorithm of new Set(digests.map(algorithmOf))) {
    yield { entry: tarEntry({ path: `blobs/${algorithm}/`, type: 'directory' }) }
  }
}

export function blobMember(
  content: ContentStore,
  { digest, sizeBytes }: BlobInfo,
  times: Partial<Pick<TarEntry, 'mtime'>> = {},
): TarSource {
  const entry = tarEntry({ path: blobPath(digest), sizeBytes, ...times })
  return { entry, content: openSound(content, digest) }
}
