import { invalid, unavailable } from '@berth/base'
import { algorithmOf, type Descriptor, type Digest, Digester } from '@berth/oci'
import type { Answer } from './http/transport.ts'
import { readDocument, watched } from './http/read-limited.ts'
import type { Place } from './place.ts'
import type { Session } from './session.ts'

/** A blob on its way. Whoever has it reads it to its end or returns from it. */
export interface BlobBody {
  readonly chunks: AsyncIterable<Buffer>
  /** Where in the blob the first byte belongs. */
  readonly start: number
  /** The host that sends it, for what is said when it fails. */
  readonly host: string
}

const targetOf = (path: string, digest: Digest): string => `/v2/${path}/blobs/${digest}`

export async function openBlob(
  session: Session,
  { digest, size, start }: Pick<Descriptor, 'digest' | 'size'> & { readonly start: number },
  place: Place,
): Promise<BlobBody> {
  const headers: Record<string, string> = start > 0 ? { Range: `bytes=${start}-` } : {}
  const answer = await session.request({ method: 'GET', target: targetOf(place.path, digest), headers, ...place })
  try {
    const from = startOf(answer, { start, size })
    refuseOther(answer, { digest, bytes: size - from })
    return { chunks: watched(answer, place.timeouts.stallMs), start: from, host: answer.url.host }
  } catch (error) {
    answer.body.destroy()
    throw error
  }
}

/** A server may ignore a range; one that honours it must send just that (RFC 9110, 15.3.7). */
function startOf({ status, headers, url }: Answer, { start, size }: { start: number; size: number }): number {
  if (status !== 206) return 0
  const [, from, , total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? []
  const isWhole = total === '*' || Number(total) === size
  if (from === undefined || Number(from) !== start || !isWhole) {
    throw unavailable(
      `${url.host} answered bytes ${start}- of ${size} with ${JSON.stringify(headers['content-range'] ?? '')}`,
    )
  }
  return start
}

/** What is plainly not the blob need not be read to its end. */
function refuseOther({ headers, url }: Answer, { digest, bytes }: { digest: Digest; bytes: number }): void {
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw unavailable(`${url.host} sends blob ${digest} encoded as ${JSON.stringify(encoding.slice(0, 40))}, unasked`)
  }
  const length = headers['content-length']
  if (length === undefined || Number(length) === bytes) return
  const isPage = /html/i.test(headers['content-type'] ?? '')
  throw invalid(
    isPage
      ? `${url.host} answered with a web page where blob ${digest} was asked for`
      : `${url.host} announces ${length} bytes for blob ${digest}, ${bytes} were expected`,
  )
}

export async function readBlob(
  session: Session,
  digest: Digest,
  { maxBytes, ...place }: Place & { readonly maxBytes: number },
): Promise<Buffer> {
  const answer = await session.request({ method: 'GET', target: targetOf(place.path, digest), ...place })
  const bytes = await readDocument(answer, { maxBytes, timeoutMs: place.timeouts.documentMs, what: `blob ${digest}` })
  const digester = new Digester(algorithmOf(digest))
  digester.update(bytes)
  if (digester.digest() !== digest) throw invalid(`blob ${digest}: ${answer.url.host} sent ${digester.digest()}`)
  return bytes
}
