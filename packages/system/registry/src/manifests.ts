import { invalid, unavailable } from '@berth/base'
import { algorithmOf, type Descriptor, type Digest, Digester, isDigest, maxManifestBytes, mediaTypes } from '@berth/oci'
import type { Answer } from './http/transport.ts'
import { readDocument } from './http/read-limited.ts'
import type { Place } from './place.ts'
import type { Session } from './session.ts'

export interface FetchedManifest {
  readonly descriptor: Descriptor
  readonly bytes: Buffer
}

const accepted = [
  mediaTypes.index,
  mediaTypes.manifest,
  mediaTypes.dockerManifestList,
  mediaTypes.dockerManifest,
  // Only to be told apart: it is refused with words.
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
  '*/*',
].join(', ')

const targetOf = (path: string, reference: string): string => `/v2/${path}/manifests/${reference}`

/** Asks for the head alone; a registry that does not say enough there is asked for the whole. */
export async function resolveManifest(session: Session, reference: string, place: Place): Promise<Descriptor> {
  const target = targetOf(place.path, reference)
  const answer = await session.send({ method: 'HEAD', target, headers: { Accept: accepted }, ...place })
  answer.body.resume()
  const descriptor = answer.status === 200 ? descriptorOf(answer, reference) : undefined
  // Only an answer to GET says what is wrong.
  return descriptor ?? (await fetchManifest(session, reference, place)).descriptor
}

function descriptorOf({ headers }: Answer, reference: string): Descriptor | undefined {
  const digest = headers['docker-content-digest']
  const size = Number(headers['content-length'])
  if (typeof digest !== 'string' || !isDigest(digest) || !Number.isSafeInteger(size) || size <= 0) return undefined
  if (isDigest(reference) && reference !== digest) return undefined
  const mediaType = typeOf(headers['content-type'])
  return mediaType === '' ? undefined : { mediaType, digest, size }
}

export async function fetchManifest(session: Session, reference: string, place: Place): Promise<FetchedManifest> {
  const target = targetOf(place.path, reference)
  const answer = await session.request({ method: 'GET', target, headers: { Accept: accepted }, ...place })
  const { host } = answer.url
  const mediaType = typeOf(answer.headers['content-type'])
  if (/html/.test(mediaType)) {
    answer.body.destroy()
    throw unavailable(`${host} answered with a web page (${mediaType}) where a manifest was asked for`)
  }
  const limits = {
    maxBytes: maxManifestBytes,
    timeoutMs: place.timeouts.documentMs,
    what: `the manifest of ${place.path}`,
  }
  const bytes = await readDocument(answer, limits)
  return { bytes, descriptor: verifiedDescriptor(bytes, { reference, mediaType, answer, path: place.path }) }
}

/** The digest is computed, whatever the registry says; where it or the user named one, they must agree. */
function verifiedDescriptor(
  bytes: Buffer,
  { reference, mediaType, answer, path }: { reference: string; mediaType: string; answer: Answer; path: string },
): Descriptor {
  const said = answer.headers['docker-content-digest']
  const wanted = isDigest(reference) ? reference : typeof said === 'string' && isDigest(said) ? said : undefined
  const digest = digestOf(bytes, wanted)
  if (wanted !== undefined && digest !== wanted) {
    throw invalid(`manifest verification failed for digest ${wanted}: ${answer.url.host} sent ${digest} for ${path}`)
  }
  return { mediaType: mediaType || documentType(bytes), digest, size: bytes.length }
}

function digestOf(bytes: Buffer, wanted: Digest | undefined): Digest {
  const digester = new Digester(wanted && algorithmOf(wanted))
  digester.update(bytes)
  return digester.digest()
}

/** The type without parameters; '' where it says nothing of the document. */
function typeOf(header: string | undefined): string {
  const type = (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return ['application/json', 'text/plain', 'application/octet-stream'].includes(type) ? '' : type
}

function documentType(bytes: Buffer): string {
  try {
    const { mediaType, manifests } = JSON.parse(bytes.toString()) as { mediaType?: unknown; manifests?: unknown }
    if (typeof mediaType === 'string') return mediaType
    return manifests === undefined ? mediaTypes.manifest : mediaTypes.index
  } catch {
    return ''
  }
}

/** The registry's idea of the digest must be ours: else it has changed what we gave it. */
export async function putManifest(
  session: Session,
  { reference, mediaType, bytes }: { reference: string; mediaType: string; bytes: Uint8Array },
  place: Place,
): Promise<Digest> {
  const target = targetOf(place.path, reference)
  const headers = { 'Content-Type': mediaType }
  const answer = await session.request({ method: 'PUT', target, headers, body: bytes, ...place })
  answer.body.resume()
  const digester = new Digester(isDigest(reference) ? algorithmOf(reference) : undefined)
  digester.update(bytes)
  const digest = digester.digest()
  const said = answer.headers['docker-content-digest']
  if (typeof said === 'string' && isDigest(said) && algorithmOf(said) === algorithmOf(digest) && said !== digest) {
    throw unavailable(`${answer.url.host} stored the manifest ${digest} of ${place.path} as ${said}`)
  }
  return digest
}
