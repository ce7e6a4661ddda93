import { invalid } from '@berth/base'
import type { Descriptor, Digest } from '@berth/oci'
import { repositoryScope } from './auth/scope.ts'
import { type BlobBody, openBlob, readBlob } from './blobs.ts'
import type { EndpointSessions } from './endpoint-sessions.ts'
import { fetchManifest, type FetchedManifest, putManifest, resolveManifest } from './manifests.ts'
import { planRetry, type RetryOptions } from './retry.ts'
import { listReferrers } from './referrers.ts'
import type { Timeouts } from './settings.ts'
import { listTags } from './tags.ts'
import { mountBlob, type UploadSource, uploadBlob } from './uploads.ts'

export interface RepositoryName {
  readonly domain: string
  readonly path: string
}

/** One repository of one registry, as one user sees it. All methods try the registry's endpoints in order. */
export interface Repository {
  readonly name: RepositoryName
  /** What a tag or digest stands for, without its bytes where the registry allows that. */
  resolve(reference: string, signal?: AbortSignal): Promise<Descriptor>
  /** A manifest or index of at most 4 MiB; it has the digest of its descriptor, and that of `reference` if that is one. */
  manifest(reference: string, signal?: AbortSignal): Promise<FetchedManifest>
  /** The bytes of a blob from `start` on where the registry can do that, else from 0; not verified. */
  openBlob(
    blob: Pick<Descriptor, 'digest' | 'size'>,
    options?: { readonly start?: number } & RetryOptions,
  ): Promise<BlobBody>
  /** A small blob, verified. */
  readBlob(digest: Digest, maxBytes: number, signal?: AbortSignal): Promise<Buffer>
  hasBlob(digest: Digest, signal?: AbortSignal): Promise<boolean>
  /** Takes over a blob of another repository of the registry; false when it cannot. */
  mountBlob(digest: Digest, fromPath: string, signal?: AbortSignal): Promise<boolean>
  /** Uploads a blob; what broke off is continued where the registry can. Returns its descriptor's digest and size. */
  uploadBlob(source: UploadSource, signal?: AbortSignal): Promise<Pick<Descriptor, 'digest' | 'size'>>
  /** Puts a manifest under a tag or its digest. */
  putManifest(
    reference: string,
    manifest: { readonly mediaType: string; readonly bytes: Uint8Array },
    signal?: AbortSignal,
  ): Promise<Digest>
  /** The manifests whose `subject` is `digest`, also of registries that know nothing of referrers. */
  referrers(digest: Digest, artifactType?: string, signal?: AbortSignal): Promise<Descriptor[]>
  /** How long to wait before try `next` (the second is 2) of work that failed; undefined: it failed for good. */
  retryMs(error: unknown, next: number): number | undefined
  /** All tags, in the registry's order. */
  tags(signal?: AbortSignal): Promise<string[]>
}

export function createRepository(
  name: RepositoryName,
  sessions: EndpointSessions,
  { timeouts, attempts }: { readonly timeouts: Timeouts; readonly attempts: number },
): Repository {
  const read = [repositoryScope(name.path, 'pull')]
  const write = [repositoryScope(name.path, 'pull', 'push')]
  const at = (scopes: readonly string[], signal?: AbortSignal) => ({ path: name.path, scopes, signal, timeouts })
  return {
    name,
    resolve: (reference, signal) =>
      sessions.reading((session) => resolveManifest(session, reference, at(read, signal)), { signal }),
    manifest: (reference, signal) =>
      sessions.reading((session) => fetchManifest(session, reference, at(read, signal)), { signal }),
    openBlob: (blob, { start = 0, ...options } = {}) =>
      sessions.reading((session) => openBlob(session, { ...blob, start }, at(read, options.signal)), options),
    readBlob: (digest, maxBytes, signal) =>
      sessions.reading((session) => readBlob(session, digest, { ...at(read, signal), maxBytes }), { signal }),
    hasBlob: (digest, signal) =>
      sessions.writing(
        async (session) => {
          const target = `/v2/${name.path}/blobs/${digest}`
          const answer = await session.send({ method: 'HEAD', target, scopes: write, signal })
          answer.body.resume()
          return answer.status === 200
        },
        { signal },
      ),
    mountBlob: (digest, fromPath, signal) => {
      const scopes = [...write, repositoryScope(fromPath, 'pull')]
      return sessions.writing((session) => mountBlob(session, { digest, fromPath }, at(scopes, signal)), { signal })
    },
    uploadBlob: (source, signal) =>
      sessions.writing((session) => uploadBlob(session, source, at(write, signal)), {
        signal,
        onRetry: source.onRetry,
      }),
    putManifest: (reference, manifest, signal) => {
      if (manifest.bytes.length === 0) throw invalid('an empty manifest')
      return sessions.writing((session) => putManifest(session, { reference, ...manifest }, at(write, signal)), {
        signal,
      })
    },
    referrers: (digest, artifactType, signal) =>
      sessions.reading((session) => listReferrers(session, { digest, artifactType }, at(read, signal)), { signal }),
    retryMs: (error, next) => (next > attempts ? undefined : planRetry(error, next, timeouts)),
    tags: (signal) => sessions.reading((session) => listTags(session, at(read, signal)), { signal }),
  }
}
