import { type Builder, type CacheStore, registryStore } from '@berth/builder'
import type { Images } from '@berth/images'
import { parseReference } from '@berth/oci'
import { askCredentials } from '../session/ask-client.ts'
import type { Session } from '../session/session.ts'
import { clientDirectoryStore } from './content-store.ts'
import type { CacheImport } from './decode-caches.ts'

export interface CacheContext {
  readonly builder: Pick<Builder, 'blobs'>
  readonly images: Pick<Images, 'openRepository'>
  /** Of the client that builds. */
  session(): Promise<Session>
  readonly signal: AbortSignal
}

/** Where a cache is, with the credentials that the client has for it. */
export async function openStore(
  { builder, images, session, signal }: CacheContext,
  at: CacheImport,
): Promise<CacheStore> {
  if (at.kind === 'local') {
    const { directory, digest } = at
    return clientDirectoryStore({ session: await session(), directory, digest, blobs: builder.blobs })
  }
  const { domain } = parseReference(at.reference)
  const auth = await askCredentials(await session(), domain, signal)
  return registryStore(images.openRepository({ reference: at.reference, auth }))
}
