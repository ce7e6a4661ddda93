import { type EngineError, internal, isKind, notFound } from '@berth/base'
import { algorithmOf, type Descriptor, type Digest, Digester } from '@berth/oci'
import type { ContentStore } from '@berth/storage'

const corrupt = (digest: Digest, cause?: unknown): EngineError =>
  internal(`blob ${digest} is corrupt on disk: pull or load its image again`, cause)

/** Refuses a blob that is not here, or is known not to be as it was. */
export function requireSound(content: ContentStore, { digest, size }: Descriptor): void {
  if (content.holds({ digest, size })) return
  throw content.info(digest) ? corrupt(digest) : notFound(`blob ${digest} is not in the store`)
}

/**
 * Does what reads a stored blob. What is then said to be wrong with the bytes may be the disk's doing and not the image's:
 * if so it is told as such, and the blob comes again with the next pull or load.
 */
export async function blamingDisk<T>(content: ContentStore, digest: Digest, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isKind(error, 'invalid')) throw error
    const actual = await content.examine(digest)
    throw actual === undefined || actual === digest ? error : corrupt(digest, error)
  }
}

/** A document of the store; undefined when it is not there, or not any more what it should be. */
export async function readSound(
  content: ContentStore,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  maxBytes: number,
): Promise<Buffer | undefined> {
  if (!content.holds({ digest, size })) return undefined
  try {
    return await content.read(digest, maxBytes)
  } catch (error) {
    // It was removed meanwhile, or found damaged just now.
    if (!content.holds({ digest, size })) return undefined
    throw error
  }
}

/** The bytes of a blob. Fails at their end where the disk has changed them: nobody should find out when they are needed. */
export async function* openSound(content: ContentStore, digest: Digest): AsyncGenerator<Buffer> {
  const digester = new Digester(algorithmOf(digest))
  for await (const chunk of content.open(digest) as AsyncIterable<Buffer>) {
    digester.update(chunk)
    yield chunk
  }
  if (digester.digest() === digest) return
  content.distrust(digest)
  throw corrupt(digest)
}
