import { type Digest, mediaTypes } from '@berth/oci'
import { type Call, type Headers, sendJson } from '../http/call.ts'
import { nameUnknown, RegistryError } from '../http/errors.ts'
import type { Registry } from '../registry.ts'
import type { ManifestRecord, Page } from '../store/registry-store.ts'

/** Entries of a list at most, whatever the client asks for; the rest is behind the `Link`. */
const mostEntries = 10_000
const usualRepositories = 100
/** Descriptors with their annotations: a page stays within what a manifest may have. */
const referrersOfPage = 500

export async function listTags({ store, upstream }: Registry, call: Call, name: string): Promise<void> {
  if (upstream) {
    const tags = await upstream.tags(name)
    if (tags) return sendJson(call, 200, { name, tags })
  }
  if (!store.hasRepository(name)) throw nameUnknown(name)
  const page = pageOf(call, mostEntries)
  const { entries, link } = takePage(call, page, (wanted) => store.tags(name, wanted))
  sendJson(call, 200, { name, tags: entries }, link)
}

export function listRepositories({ store }: Registry, call: Call): void {
  const page = pageOf(call, usualRepositories)
  const { entries, link } = takePage(call, page, (wanted) => store.repositories(wanted))
  sendJson(call, 200, { repositories: entries }, link)
}

/** An image index of what refers to `subject`; an empty one when nothing does, whether or not `subject` is there. */
export async function listReferrers(registry: Registry, call: Call, name: string, subject: Digest): Promise<void> {
  const { store, upstream } = registry
  // What is there now is also what is there when the upstream is not.
  await upstream?.bringReferrers(name, subject)
  const artifactType = call.query.get('artifactType') || undefined
  const page = { limit: referrersOfPage, ...lastOf(call) }
  const { entries, link } = takePage(
    call,
    page,
    (wanted) => store.referrers(name, subject, wanted, artifactType),
    ({ digest }) => digest,
  )
  const document = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: entries.map(toDescriptor) }
  const filtered: Headers = artifactType === undefined ? {} : { 'OCI-Filters-Applied': 'artifactType' }
  sendJson(call, 200, document, { 'Content-Type': mediaTypes.index, ...filtered, ...link })
}

function toDescriptor({ mediaType, digest, sizeBytes, artifactType, annotations }: ManifestRecord): object {
  return { mediaType, digest, size: sizeBytes, artifactType, annotations }
}

function pageOf(call: Call, usual: number): Page {
  const text = call.query.get('n')
  if (text !== null && !/^\d{1,9}$/.test(text)) {
    throw new RegistryError(400, 'UNKNOWN', 'invalid number of results requested', {
      detail: { n: text.slice(0, 100) },
    })
  }
  return { limit: Math.min(text === null ? usual : Number(text), mostEntries), ...lastOf(call) }
}

function lastOf(call: Call): { last?: string } {
  const last = call.query.get('last')
  return last === null ? {} : { last }
}

/** A page, and the `Link` to the next when there is one (RFC 5988). */
function takePage<T>(
  call: Call,
  page: Page,
  list: (page: Page) => T[],
  keyOf: (entry: T) => string = String,
): { entries: T[]; link: Record<string, string> } {
  if (page.limit === 0) return { entries: [], link: {} }
  const found = list({ ...page, limit: page.limit + 1 })
  const entries = found.slice(0, page.limit)
  const lastEntry = entries.at(-1)
  if (found.length <= page.limit || lastEntry === undefined) return { entries, link: {} }
  const query = new URLSearchParams(call.query)
  query.set('last', keyOf(lastEntry))
  if (query.has('n')) query.set('n', String(page.limit))
  const path = call.request.url?.split('?')[0] ?? ''
  return { entries, link: { Link: `<${path}?${query}>; rel="next"` } }
}
