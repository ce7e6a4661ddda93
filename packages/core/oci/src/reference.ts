import { invalid } from '@berth/base'
import { type Digest, isDigest, parseReferenceDigest } from './digest.ts'

/**
 * A normalised image name: `busybox` has the domain `docker.io` and the path `library/busybox`. The grammar is that of
 * https://pkg.go.dev/github.com/distribution/reference.
 */
export interface Reference {
  readonly domain: string
  readonly path: string
  readonly tag?: string
  readonly digest?: Digest
}

const defaultDomain = 'docker.io'
const legacyDomain = 'index.docker.io'
const officialPrefix = 'library/'
const maxPathLength = 255

const component = String.raw`[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*`
const label = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const host = String.raw`(?:${label}(?:\.${label})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?`
const tag = String.raw`\w[\w.-]{0,127}`
const digest = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}'

const referencePattern = new RegExp(`^(${host})/(${component}(?:/${component})*)(?::(${tag}))?(?:@(${digest}))?$`)
const tagPattern = new RegExp(`^${tag}$`)
const identifierPattern = /^[a-f0-9]{64}$/

/** The reference in `text`, its name normalised; no tag is added. Throws `invalid` in Docker's words. */
export function parseReference(text: string): Reference {
  if (identifierPattern.test(text)) {
    throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`)
  }
  const { domain, remainder } = splitDomain(text)
  const [remote = ''] = remainder.split(':', 1)
  if (remote !== remote.toLowerCase()) {
    throw invalid(`invalid reference format: repository name (${remote.slice(0, 300)}) must be lowercase`)
  }
  return parseFull(`${domain}/${remainder}`)
}

/** A digest (with or without `sha256:`, in full length) or a reference. */
export function parseAnyReference(text: string): Reference | Digest {
  if (identifierPattern.test(text)) return `sha256:${text}` as Digest
  return isDigest(text) ? text : parseReference(text)
}

function parseFull(text: string): Reference {
  const m = referencePattern.exec(text)
  if (!m) {
    const onlyCase = referencePattern.test(text.toLowerCase())
    throw invalid(onlyCase ? 'repository name must be lowercase' : 'invalid reference format')
  }
  const [, domain = '', path = '', itsTag, itsDigest] = m
  if (path.length > maxPathLength) {
    throw invalid(`repository name must not be more than ${maxPathLength} characters`)
  }
  return {
    domain,
    path,
    ...(itsTag !== undefined && { tag: itsTag }),
    ...(itsDigest !== undefined && { digest: parseReferenceDigest(itsDigest) }),
  }
}

/** A first component is a host when it has a dot, a colon or an upper-case letter, or is `localhost`. */
function splitDomain(text: string): { domain: string; remainder: string } {
  const slash = text.indexOf('/')
  const first = slash < 0 ? '' : text.slice(0, slash)
  const isHost = first === 'localhost' || /[.:]/.test(first) || first !== first.toLowerCase()
  const domain = !isHost || first === legacyDomain ? defaultDomain : first
  const remainder = isHost ? text.slice(slash + 1) : text
  const official = domain === defaultDomain && !remainder.includes('/')
  return { domain, remainder: official ? officialPrefix + remainder : remainder }
}

export const isTag = (text: string): boolean => tagPattern.test(text)

/** `reference` with another tag; throws `invalid`. */
export function withTag(reference: Reference, itsTag: string): Reference {
  if (!isTag(itsTag)) throw invalid('invalid tag format')
  return { ...reference, tag: itsTag }
}

/** Adds the tag `latest` when there is neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return isNameOnly(reference) ? { ...reference, tag: 'latest' } : reference
}

export const isNameOnly = (reference: Reference): boolean =>
  reference.tag === undefined && reference.digest === undefined

/** `docker.io/library/busybox`. */
export const nameOf = (reference: Reference): string => `${reference.domain}/${reference.path}`

/** `docker.io/library/busybox:latest`. */
export const formatReference = (reference: Reference): string => nameOf(reference) + suffixOf(reference)

/** `busybox`: the name as users write it. */
export function familiarName({ domain, path }: Reference): string {
  if (domain !== defaultDomain) return `${domain}/${path}`
  const rest = path.startsWith(officialPrefix) ? path.slice(officialPrefix.length) : path
  return rest.includes('/') ? path : rest
}

/** `busybox:latest`. */
export const familiarString = (reference: Reference): string => familiarName(reference) + suffixOf(reference)

function suffixOf(reference: Reference): string {
  const itsTag = reference.tag === undefined ? '' : `:${reference.tag}`
  return reference.digest === undefined ? itsTag : `${itsTag}@${reference.digest}`
}
