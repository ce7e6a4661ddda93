import { unavailable } from '@berth/base'
import { type Descriptor, type Digest, Digester } from '@berth/oci'
import { answerError } from './errors.ts'
import { type Answer, drop } from './http/transport.ts'
import type { Place } from './place.ts'
import { mayPass, pauseBeforeRetry, type RetryOptions } from './retry.ts'
import type { Session } from './session.ts'

/** Bytes to upload: of a blob that is known, or of one whose digest only its end will tell. */
export type UploadSource =
  | {
      readonly kind: 'blob'
      readonly digest: Digest
      readonly sizeBytes: number
      /** The blob from `start` on; called again when an upload is continued. */
      readonly open: (start: number) => AsyncIterable<Uint8Array>
      readonly onProgress?: (sentBytes: number) => void
      readonly onRetry?: RetryOptions['onRetry']
    }
  | {
      readonly kind: 'stream'
      readonly open: () => AsyncIterable<Uint8Array>
      readonly onProgress?: (sentBytes: number) => void
      readonly onRetry?: RetryOptions['onRetry']
    }

type Uploaded = Pick<Descriptor, 'digest' | 'size'>

/** Distribution spec, "Mounting a blob from another repository". */
export async function mountBlob(
  session: Session,
  { digest, fromPath }: { readonly digest: Digest; readonly fromPath: string },
  place: Place,
): Promise<boolean> {
  const query = new URLSearchParams({ mount: digest, from: fromPath })
  const target = `/v2/${place.path}/blobs/uploads/?${query}`
  const answer = await session.send({ method: 'POST', target, ...place })
  if (answer.status === 201) {
    answer.body.resume()
    return true
  }
  // It began an upload instead, which nobody will finish.
  if (answer.status === 202) await cancelUpload(session, session.uploadLocation(answer), place)
  await drop(answer)
  return false
}

async function cancelUpload(session: Session, location: URL, place: Place): Promise<void> {
  try {
    await drop(await session.send({ method: 'DELETE', target: location, ...place }))
  } catch {
    // Registries forget unfinished uploads themselves.
  }
}

export function uploadBlob(session: Session, source: UploadSource, place: Place): Promise<Uploaded> {
  return source.kind === 'blob' ? uploadKnown(session, source, place) : uploadStream(session, source, place)
}

async function beginUpload(session: Session, place: Place): Promise<URL> {
  const answer = await session.request({ method: 'POST', target: `/v2/${place.path}/blobs/uploads/`, ...place })
  answer.body.resume()
  return session.uploadLocation(answer)
}

/** In one piece; what breaks off is continued in chunks from where the registry says it stands. */
async function uploadKnown(
  session: Session,
  source: UploadSource & { readonly kind: 'blob' },
  place: Place,
): Promise<Uploaded> {
  const { digest, sizeBytes } = source
  let location = await beginUpload(session, place)
  let start = 0
  for (let tries = 0; ; tries++) {
    try {
      if (start === 0) await putWhole(session, location, source, place)
      else await putRest(session, { location, start }, source, place)
      return { digest, size: sizeBytes }
    } catch (error) {
      if (tries >= maxResumes || !mayPass(error) || place.signal?.aborted) throw error
      await pauseBeforeRetry(place.timeouts.retryMs * 2 ** tries, { signal: place.signal, onRetry: source.onRetry })
      const standing = await askStanding(session, location, place)
      location = standing?.location ?? (await beginUpload(session, place))
      start = standing && standing.start < sizeBytes ? standing.start : 0
    }
  }
}

const maxResumes = 4

/** Distribution spec, "POST then PUT". */
async function putWhole(
  session: Session,
  location: URL,
  source: UploadSource & { readonly kind: 'blob' },
  place: Place,
): Promise<void> {
  const stream = () => counted(source.open(0), 0, source.onProgress)
  const headers = { 'Content-Type': 'application/octet-stream' }
  const target = withDigest(location, source.digest)
  const answer = await session.request({
    method: 'PUT',
    target,
    headers,
    stream,
    bodyBytes: source.sizeBytes,
    ...place,
  })
  answer.body.resume()
}

/** Distribution spec, "Pushing a blob in chunks": one last chunk, then the closing PUT. */
async function putRest(
  session: Session,
  { location, start }: { readonly location: URL; readonly start: number },
  source: UploadSource & { readonly kind: 'blob' },
  place: Place,
): Promise<void> {
  const stream = () => counted(source.open(start), start, source.onProgress)
  const headers = { 'Content-Type': 'application/octet-stream', 'Content-Range': `${start}-${source.sizeBytes - 1}` }
  const bodyBytes = source.sizeBytes - start
  const answer = await session.request({ method: 'PATCH', target: location, headers, stream, bodyBytes, ...place })
  answer.body.resume()
  await closeUpload(session, session.uploadLocation(answer), source.digest, place)
}

/** How far an upload that broke off has come; undefined when the registry does not know it any more. */
async function askStanding(
  session: Session,
  location: URL,
  place: Place,
): Promise<{ readonly location: URL; readonly start: number } | undefined> {
  const answer = await session.send({ method: 'GET', target: location, ...place })
  answer.body.resume()
  const [, last] = /^(?:bytes=)?0-(\d+)$/.exec(String(answer.headers.range ?? '')) ?? []
  if (answer.status !== 204 || last === undefined) return undefined
  const next = answer.headers.location === undefined ? location : session.uploadLocation(answer)
  return { location: next, start: Number(last) === 0 ? 0 : Number(last) + 1 }
}

/** Of unknown length, in one PATCH as it comes; it cannot be continued, for it cannot be read twice. */
async function uploadStream(
  session: Session,
  source: UploadSource & { readonly kind: 'stream' },
  place: Place,
): Promise<Uploaded> {
  const location = await beginUpload(session, place)
  const digester = new Digester()
  const stream = () => digested(counted(source.open(), 0, source.onProgress), digester)
  const headers = { 'Content-Type': 'application/octet-stream' }
  const answer = await session.send({ method: 'PATCH', target: location, headers, stream: once(stream), ...place })
  if (answer.status < 200 || answer.status >= 300) throw await answerError(answer)
  answer.body.resume()
  const uploaded = { digest: digester.digest(), size: digester.sizeBytes }
  requireWhole(answer, uploaded.size)
  await closeUpload(session, session.uploadLocation(answer), uploaded.digest, place)
  return uploaded
}

/** A stream that were sent twice would be hashed twice. */
function once(open: () => AsyncIterable<Uint8Array>): () => AsyncIterable<Uint8Array> {
  let isUsed = false
  return () => {
    if (isUsed) throw unavailable('an upload was refused half way and cannot be repeated')
    isUsed = true
    return open()
  }
}

function requireWhole({ headers, url }: Answer, sizeBytes: number): void {
  const [, last] = /^(?:bytes=)?0-(\d+)$/.exec(String(headers.range ?? '')) ?? []
  if (last === undefined || sizeBytes === 0 || Number(last) + 1 === sizeBytes) return
  throw unavailable(`${url.host} has taken ${Number(last) + 1} of ${sizeBytes} bytes`)
}

async function closeUpload(session: Session, location: URL, digest: Digest, place: Place): Promise<void> {
  const answer = await session.request({ method: 'PUT', target: withDigest(location, digest), ...place })
  answer.body.resume()
}

function withDigest(location: URL, digest: Digest): URL {
  const url = new URL(location)
  url.searchParams.set('digest', digest)
  return url
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  start: number,
  onProgress: ((sentBytes: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  let bytes = start
  for await (const chunk of chunks) {
    yield chunk
    bytes += chunk.length
    onProgress?.(bytes)
  }
}

async function* digested(chunks: AsyncIterable<Uint8Array>, digester: Digester): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    digester.update(chunk)
    yield chunk
  }
}
