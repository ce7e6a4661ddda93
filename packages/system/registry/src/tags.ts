import { unavailable } from '@berth/base'
import { isTag } from '@berth/oci'
import { readDocument } from './http/read-limited.ts'
import type { Place } from './place.ts'
import type { Session } from './session.ts'

const maxPageBytes = 4 * 1024 * 1024
const maxTags = 100_000
const maxPages = 1000

/** All pages of the list; what is no tag is passed over. */
export async function listTags(session: Session, place: Place): Promise<string[]> {
  const tags = new Set<string>()
  let target: string | URL | undefined = `/v2/${place.path}/tags/list?n=1000`
  for (let page = 0; target !== undefined; page++) {
    if (page >= maxPages) throw unavailable(`the tags of ${place.path} fill more than ${maxPages} pages`)
    const answer = await session.request({ method: 'GET', target, ...place })
    const what = `the tags of ${place.path}`
    const bytes = await readDocument(answer, { maxBytes: maxPageBytes, timeoutMs: place.timeouts.documentMs, what })
    for (const tag of decodeTags(bytes, what)) tags.add(tag)
    if (tags.size > maxTags) throw unavailable(`${what}: more than ${maxTags}`)
    target = nextPage(answer.headers.link, answer.url)
  }
  return [...tags]
}

function decodeTags(bytes: Buffer, what: string): string[] {
  try {
    const { tags } = JSON.parse(bytes.toString()) as { tags?: unknown }
    if (tags === null || tags === undefined) return []
    if (Array.isArray(tags)) return tags.filter((tag): tag is string => typeof tag === 'string' && isTag(tag))
  } catch {
    // Said below.
  }
  throw unavailable(`${what} are no JSON list`)
}

/** RFC 8288; a next page is of the same registry. */
export function nextPage(link: string | readonly string[] | undefined, from: URL): URL | undefined {
  const text = typeof link === 'string' ? link : link?.join(',')
  const [, target] = /<([^<>]{1,4096})>\s*;[^,<]*\brel="?next"?/.exec(text ?? '') ?? []
  if (target === undefined || !URL.canParse(target, from)) return undefined
  const url = new URL(target, from)
  return url.origin === from.origin ? url : undefined
}
