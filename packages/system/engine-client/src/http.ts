import type { Channel } from './channel.ts'
import { ConnectionError } from './errors.ts'

/** The head of a response; header names are lower-case. */
export interface ResponseHead {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
}

const maxHeadBytes = 64 * 1024
const maxChunkLineBytes = 4096
const headEnd = Buffer.from('\r\n\r\n')

/** Reads one head (RFC 9112, 4); interim responses other than 101 are skipped. */
export async function readHead(connection: Channel): Promise<ResponseHead> {
  for (;;) {
    const head = parseHead(await readUntil(connection, headEnd, maxHeadBytes))
    if (head.status === 101 || head.status >= 200) return head
  }
}

/** Reads up to `mark`, which is dropped; what follows stays unread. */
async function readUntil(connection: Channel, mark: Buffer, limitBytes: number): Promise<string> {
  let seen: Buffer = Buffer.alloc(0)
  for (;;) {
    const chunk = await connection.read()
    if (chunk === undefined)
      throw new ConnectionError(`the daemon closed the connection before it answered${connection.closedHint}`)
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk])
    const end = seen.indexOf(mark)
    if (end >= 0) {
      connection.unread(seen.subarray(end + mark.length))
      return seen.toString('latin1', 0, end)
    }
    if (seen.length > limitBytes) throw new ConnectionError('the daemon sent a malformed HTTP response')
  }
}

function parseHead(text: string): ResponseHead {
  const [statusLine = '', ...lines] = text.split('\r\n')
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1])
  if (!(status >= 100)) throw new ConnectionError(`malformed HTTP status: ${JSON.stringify(statusLine.slice(0, 80))}`)
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  return { status, headers }
}

/** The bytes of a response's body, as its head frames them (RFC 9112, 6.3). */
export async function* readBody(connection: Channel, head: ResponseHead): AsyncGenerator<Buffer, void> {
  if (hasNoBody(head)) return
  if (head.headers.get('transfer-encoding')?.toLowerCase().endsWith('chunked') === true) yield* readChunked(connection)
  else if (head.headers.has('content-length'))
    yield* readExactly(connection, Number(head.headers.get('content-length')))
  else yield* readToEnd(connection)
}

function hasNoBody({ status, headers }: ResponseHead): boolean {
  return status === 204 || status === 304 || headers.get('content-length') === '0'
}

/** Whether the connection can carry another request once the body is read. */
export function isReusable({ status, headers }: ResponseHead): boolean {
  if (status === 101 || headers.get('connection')?.toLowerCase() === 'close') return false
  return headers.has('transfer-encoding') || headers.has('content-length') || status === 204 || status === 304
}

async function* readExactly(connection: Channel, lengthBytes: number): AsyncGenerator<Buffer, void> {
  let left = lengthBytes
  while (left > 0) {
    const chunk = await connection.read()
    if (chunk === undefined) throw new ConnectionError('unexpected EOF')
    if (chunk.length > left) connection.unread(chunk.subarray(left))
    yield chunk.length > left ? chunk.subarray(0, left) : chunk
    left -= Math.min(left, chunk.length)
  }
}

async function* readToEnd(connection: Channel): AsyncGenerator<Buffer, void> {
  for (let chunk = await connection.read(); chunk !== undefined; chunk = await connection.read()) yield chunk
}

async function* readChunked(connection: Channel): AsyncGenerator<Buffer, void> {
  const lineEnd = Buffer.from('\r\n')
  for (;;) {
    const line = await readUntil(connection, lineEnd, maxChunkLineBytes)
    const sizeBytes = /^[0-9a-fA-F]{1,12}/.test(line) ? Number.parseInt(line, 16) : Number.NaN
    if (Number.isNaN(sizeBytes)) throw new ConnectionError('the daemon sent a malformed chunk')
    if (sizeBytes === 0) break
    yield* readExactly(connection, sizeBytes)
    await readUntil(connection, lineEnd, maxChunkLineBytes)
  }
  // Trailers, up to the empty line.
  while ((await readUntil(connection, lineEnd, maxChunkLineBytes)) !== '');
}
