import { type TarEntry, tarEntry, type TarSource } from '@berth/archive'
import { internal } from '@berth/base'
import { algorithmOf, type Digest, Digester } from '@berth/oci'
import type { BlobInfo, ContentStore } from '@berth/storage'

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
  return { entry, content: verified(content, digest) }
}

/** Fails where the disk has changed a blob: nobody should find out when the archive is needed. */
async function* verified(content: ContentStore, digest: Digest): AsyncGenerator<Uint8Array> {
  const digester = new Digester(algorithmOf(digest))
  for await (const chunk of content.open(digest) as AsyncIterable<Uint8Array>) {
    digester.update(chunk)
    yield chunk
  }
  if (digester.digest() === digest) return
  content.distrust(digest)
  throw internal(`blob ${digest} is corrupt on disk`)
}
