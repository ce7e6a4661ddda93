import type { OpenRepository } from '@berth/images'
import { sha256 } from '@berth/oci'
import { Readable } from 'node:stream'
import type { CacheStore } from './cache-store.ts'

/** A cache under a tag of a repository. */
export function registryStore({ reference, repository, pushLayer, fetchBlob }: OpenRepository): CacheStore {
  const name = reference.digest ?? reference.tag ?? 'latest'
  return {
    manifest: (signal) => repository.manifest(name, signal),
    manifestOf: async (digest, signal) => (await repository.manifest(digest, signal)).bytes,
    readBlob: ({ digest }, maxBytes, signal) => repository.readBlob(digest, maxBytes, signal),
    fetchBlob,
    putLayer: pushLayer,
    putBlob: async (bytes, signal) => {
      const digest = sha256(bytes)
      if (await repository.hasBlob(digest, signal)) return
      const open = (start: number) => Readable.from([bytes.subarray(start)])
      await repository.uploadBlob({ kind: 'blob', digest, sizeBytes: bytes.length, open }, signal)
    },
    putManifest: async (manifest, signal) => void (await repository.putManifest(name, manifest, signal)),
  }
}
