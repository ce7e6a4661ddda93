import { type Digest, isDigest, isTag } from '@berth/oci'
import { digestInvalid, manifestInvalid, RegistryError } from './errors.ts'

/** What a path of the API names (spec.md#endpoints). */
export type Target =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly name: string }
  | { readonly kind: 'manifest'; readonly name: string; readonly reference: string | Digest }
  | { readonly kind: 'blob'; readonly name: string; readonly digest: Digest }
  | { readonly kind: 'uploads'; readonly name: string }
  | { readonly kind: 'upload'; readonly name: string; readonly id: string }
  | { readonly kind: 'referrers'; readonly name: string; readonly digest: Digest }

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const namePattern = new RegExp(`^${component}(?:/${component})*$`)
const longestName = 255

/** A path of `/v2/` as it stands in the request, without its query; undefined when it names nothing. */
export function parseTarget(path: string): Target | undefined {
  if (path === '/v2/' || path === '/v2') return { kind: 'base' }
  if (path === '/v2/_catalog') return { kind: 'catalog' }
  const m = /^\/v2\/(.+)\/(tags\/list|manifests\/[^/]*|blobs\/uploads\/?[^/]*|blobs\/[^/]*|referrers\/[^/]*)$/.exec(
    path,
  )
  if (!m) return undefined
  const [, name = '', rest = ''] = m
  checkName(name)
  const slash = rest.indexOf('/')
  return named(name, rest.slice(0, slash), rest.slice(slash + 1))
}

export function checkName(name: string): void {
  if (name.length <= longestName && namePattern.test(name)) return
  throw new RegistryError(400, 'NAME_INVALID', 'invalid repository name', {
    detail: { name: name.slice(0, longestName) },
  })
}

function named(name: string, noun: string, text: string): Target {
  if (noun === 'tags') return { kind: 'tags', name }
  if (noun === 'manifests') return { kind: 'manifest', name, reference: manifestReference(decoded(text)) }
  if (noun === 'referrers') return { kind: 'referrers', name, digest: toDigest(decoded(text)) }
  const upload = /^uploads(?:\/(.*))?$/.exec(text)
  if (!upload) return { kind: 'blob', name, digest: toDigest(decoded(text)) }
  return upload[1] ? { kind: 'upload', name, id: upload[1] } : { kind: 'uploads', name }
}

/** Some clients write the colon of a digest as `%3A`. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export function toDigest(text: string): Digest {
  if (isDigest(text)) return text
  throw digestInvalid('provided digest is none that is known here', { digest: text.slice(0, 200) })
}

function manifestReference(text: string): string | Digest {
  if (text.includes(':')) return toDigest(text)
  if (isTag(text)) return text
  throw manifestInvalid('neither a tag nor a digest', { reference: text.slice(0, 200) })
}
