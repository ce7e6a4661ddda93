import type { ContentStore } from '../content-store.ts'
import type { GcRoots } from '../gc/plan-sweep.ts'
import type { Found } from './finding.ts'

interface Parts {
  readonly content: ContentStore
  readonly roots: () => readonly GcRoots[]
}

/** Reads every blob and holds it against its name; then looks for those that are referred to and are not there. */
export async function* checkBlobs({ content, roots }: Parts, signal: AbortSignal): AsyncGenerator<Found> {
  for (const { digest } of content.list()) {
    signal.throwIfAborted()
    const actual = await content.examine(digest)
    // It may have been removed meanwhile.
    if (actual === undefined || actual === digest) continue
    const isNeeded = roots().some(({ blobs }) => new Set(blobs).has(digest))
    const finding = { kind: 'corrupt-blob' as const, subject: digest, message: `its content has the digest ${actual}` }
    yield isNeeded
      ? { finding: { ...finding, message: `${finding.message}; an image needs it: load or pull that again` } }
      : { finding, remedy: { text: 'removed, nothing needs it', repair: () => content.remove(digest) } }
  }
  const needed = new Set(roots().flatMap(({ blobs }) => [...blobs]))
  for (const digest of needed) {
    if (content.info(digest)) continue
    const message = 'an image needs it, and it is not there: load or pull that again'
    yield { finding: { kind: 'missing-blob', subject: digest, message } }
  }
}
