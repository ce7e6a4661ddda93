import { invalid } from '@berth/base'
import { parseJson } from '@berth/engine-api'
import type { IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Exchange } from './exchange.ts'

/** No request has a reason to describe its wish in more. */
const largestJsonBytes = 8 * 1024 * 1024

/** The JSON body, null when there is none. `required`: an empty one is an error in Docker's words. */
export async function readJson({ request }: Exchange, options: { readonly required?: boolean } = {}): Promise<unknown> {
  const isEmpty = hasNoBody(request)
  checkContentType(request, isEmpty)
  const text = isEmpty ? '' : await readText(request)
  if (text.trim() !== '') return parseJson(text)
  if (options.required) throw invalid('invalid JSON: got EOF while reading request body')
  return null
}

/** Whether the request's head says that no body follows. */
export function hasNoBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0
}

/** So long a client that still writes is listened to before it is refused. */
const restMs = 250

/** Takes what is left of the body, for a moment: a client whose connection is closed while it writes does not see the answer. */
export async function readRest({ request, response, upgraded }: Exchange): Promise<void> {
  const isLeft = !request.complete && !hasNoBody(request) && !request.destroyed
  if (!isLeft || upgraded || response.headersSent) return
  const ended = new AbortController()
  const end = () => ended.abort()
  request.once('end', end).once('close', end).resume()
  await delay(restMs, undefined, { signal: ended.signal }).catch(() => undefined)
}

function checkContentType(request: IncomingMessage, isEmpty: boolean): void {
  const header = request.headers['content-type'] ?? ''
  if (header === '' && isEmpty) return
  const [type = ''] = header.split(';', 1)
  const mediaType = type.trim().toLowerCase()
  if (mediaType === 'application/json') return
  if (mediaType === '') throw invalid(`malformed Content-Type header (${header}): mime: no media type`)
  throw invalid(`unsupported Content-Type header (${mediaType}): must be 'application/json'`)
}

/** Reads to the end before it refuses, within reason: a client that still writes would not see the answer. */
async function readText(request: IncomingMessage): Promise<string> {
  let chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > 8 * largestJsonBytes) break
    if (bytes > largestJsonBytes) chunks = []
    else chunks.push(chunk)
  }
  if (bytes > largestJsonBytes) throw invalid(`the request's body is larger than ${largestJsonBytes} bytes`)
  return Buffer.concat(chunks).toString()
}
