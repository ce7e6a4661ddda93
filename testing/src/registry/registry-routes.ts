import { randomBytes } from 'node:crypto'
import { type Answer, answer, errorAnswer, jsonAnswer } from './deliver.ts'
import type { RequestSubject } from './misbehaviour.ts'
import { digestOf, type Repository, type RegistryContent } from './registry-content.ts'

export interface RegistryCall {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** What the path of a request names. */
export interface Target {
  readonly subject: RequestSubject
  readonly name: string
  /** A tag, a digest or the id of an upload. */
  readonly reference: string
}

const patterns: readonly (readonly [RequestSubject, RegExp])[] = [
  ['ping', /^\/v2\/?$/],
  ['catalog', /^\/v2\/_catalog$/],
  ['search', /^\/v1\/search$/],
  ['token', /^\/token$/],
  ['manifest', /^\/v2\/(.+)\/manifests\/([^/]+)$/],
  ['upload', /^\/v2\/(.+)\/blobs\/uploads\/([^/]*)$/],
  ['blob', /^\/v2\/(.+)\/blobs\/([^/]+)$/],
  ['tags', /^\/v2\/(.+)\/tags\/list$/],
  ['referrers', /^\/v2\/(.+)\/referrers\/([^/]+)$/],
]

export function findTarget(path: string): Target {
  for (const [subject, pattern] of patterns) {
    const m = pattern.exec(path)
    if (m) return { subject, name: m[1] ?? '', reference: decodeURIComponent(m[2] ?? '') }
  }
  return { subject: 'unknown', name: '', reference: '' }
}

/** The honest half: the least that clients need of a registry. Uploads in progress are in `uploads`. */
export function respond(
  content: RegistryContent,
  uploads: Map<string, Buffer[]>,
  target: Target,
  call: RegistryCall,
): Answer {
  const { subject, name } = target
  switch (subject) {
    case 'ping':
      return jsonAnswer(200, {}, { 'Docker-Distribution-API-Version': 'registry/2.0' })
    case 'catalog':
      return jsonAnswer(200, { repositories: content.names() })
    case 'manifest':
      return call.method === 'PUT'
        ? putManifest(content, target, call)
        : getManifest(content.find(name), target.reference)
    case 'blob':
      return getBlob(content.find(name), target.reference, call)
    case 'upload':
      return upload(content, uploads, target, call)
    case 'tags': {
      const tags = content.find(name)?.tags
      return tags ? jsonAnswer(200, { name, tags: [...tags.keys()].toSorted() }) : errorAnswer(404, 'NAME_UNKNOWN')
    }
    case 'referrers':
      return referrers(content.find(name), target.reference)
    default:
      return answer(404, { 'Content-Type': 'text/plain' }, '404 page not found\n')
  }
}

function getManifest(repository: Repository | undefined, reference: string): Answer {
  const digest = reference.includes(':') ? reference : repository?.tags.get(reference)
  const manifest = repository?.manifests.get(digest ?? '')
  if (!manifest || digest === undefined) return errorAnswer(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
  return answer(200, { 'Content-Type': manifest.mediaType, 'Docker-Content-Digest': digest }, manifest.bytes)
}

function putManifest(content: RegistryContent, { name, reference }: Target, { headers, body }: RegistryCall): Answer {
  const mediaType = String(headers['content-type'])
  const isDigest = reference.includes(':')
  if (isDigest && reference !== digestOf(body)) return errorAnswer(400, 'DIGEST_INVALID')
  const { digest } = content.addManifest(name, body, { mediaType, ...(!isDigest && { tag: reference }) })
  return answer(201, { Location: `/v2/${name}/manifests/${digest}`, 'Docker-Content-Digest': digest })
}

function getBlob(repository: Repository | undefined, digest: string, { headers }: RegistryCall): Answer {
  const blob = repository?.blobs.get(digest)
  if (!blob) return errorAnswer(404, 'BLOB_UNKNOWN', 'blob unknown to registry')
  const common = {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    'Accept-Ranges': 'bytes',
  }
  const range = /^bytes=(\d+)-(\d*)$/.exec(String(headers['range'] ?? ''))
  if (!range) return answer(200, common, blob)
  const start = Number(range[1])
  const end = Math.min(range[2] === '' ? Infinity : Number(range[2]), blob.length - 1)
  if (start > end) return answer(416, { 'Content-Range': `bytes */${blob.length}` })
  const told = { ...common, 'Content-Range': `bytes ${start}-${end}/${blob.length}` }
  return answer(206, told, blob.subarray(start, end + 1))
}

function upload(
  content: RegistryContent,
  uploads: Map<string, Buffer[]>,
  { name, reference }: Target,
  { method, url, body }: RegistryCall,
): Answer {
  const repository = content.repository(name)
  const digest = url.searchParams.get('digest')
  if (method === 'POST') {
    const mounted = content.find(url.searchParams.get('from') ?? '')?.blobs.get(url.searchParams.get('mount') ?? '')
    if (mounted) return stored(name, content.addBlob(name, mounted).digest)
    if (digest !== null) return finish(repository, name, digest, body)
    const id = randomBytes(8).toString('hex')
    uploads.set(id, [])
    return progress(name, id, 0, 202)
  }
  const chunks = uploads.get(reference)
  if (!chunks) return errorAnswer(404, 'BLOB_UPLOAD_UNKNOWN')
  chunks.push(body)
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  if (method === 'PATCH') return progress(name, reference, size, 202)
  if (method === 'GET') return progress(name, reference, size, 204)
  uploads.delete(reference)
  return method === 'PUT' ? finish(repository, name, digest ?? '', Buffer.concat(chunks)) : answer(204)
}

const progress = (name: string, id: string, size: number, status: number): Answer =>
  answer(status, {
    Location: `/v2/${name}/blobs/uploads/${id}`,
    Range: `0-${Math.max(0, size - 1)}`,
    'Docker-Upload-UUID': id,
  })

const stored = (name: string, digest: string): Answer =>
  answer(201, { Location: `/v2/${name}/blobs/${digest}`, 'Docker-Content-Digest': digest })

function finish(repository: Repository, name: string, digest: string, bytes: Buffer): Answer {
  if (digestOf(bytes) !== digest) return errorAnswer(400, 'DIGEST_INVALID')
  repository.blobs.set(digest, bytes)
  return stored(name, digest)
}

function referrers(repository: Repository | undefined, subject: string): Answer {
  const manifests = [...(repository?.manifests ?? [])].flatMap(([digest, { mediaType, bytes }]) => {
    const document = JSON.parse(bytes.toString()) as Record<string, unknown>
    const isOfSubject = (document['subject'] as { digest?: string } | undefined)?.digest === subject
    if (!isOfSubject) return []
    const artifactType =
      document['artifactType'] ?? (document['config'] as { mediaType?: string } | undefined)?.mediaType
    return [{ mediaType, digest, size: bytes.length, artifactType, annotations: document['annotations'] }]
  })
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  return jsonAnswer(200, { schemaVersion: 2, mediaType, manifests }, { 'Content-Type': mediaType })
}
