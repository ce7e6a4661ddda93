import { invalid, unavailable } from '@berth/base'
import type { Headers } from './http/outgoing.ts'
import { readLimited, watched } from './http/read-limited.ts'
import { type Answer, drop, type Transport } from './http/transport.ts'

/** What a URL serves that is no registry's. */
export interface Download {
  readonly contentType: string
  /** Of the `Last-Modified` header; undefined without a valid one. */
  readonly modifiedMs: number | undefined
  /** Undefined when the server does not say. */
  readonly sizeBytes: number | undefined
  /** Fails with `BrokenOffError` when it ends too soon or stands still. */
  readonly body: AsyncGenerator<Buffer>
}

/** The server has answered, and does not give it. */
export class DownloadRefusedError extends Error {
  readonly status: number
  /** `404 Not Found` */
  readonly statusLine: string
  /** The beginning of what it said, `maxRefusalBytes` at most. */
  readonly text: string

  constructor(answer: Answer, text: string) {
    const statusLine = `${answer.status} ${answer.body.statusMessage ?? ''}`.trim()
    super(`failed to GET ${answer.url} with status ${statusLine}`)
    this.status = answer.status
    this.statusLine = statusLine
    this.text = text
  }
}

const maxRefusalBytes = 1024
/** As many as Go's client follows. */
const maxRedirects = 10
const redirects: readonly number[] = [301, 302, 303, 307, 308]

export interface DownloadOptions {
  readonly transport: Pick<Transport, 'send'>
  readonly stallMs: number
  readonly signal: AbortSignal
}

/**
 * Asks for what a URL of http or https serves, as Go's client does: redirects are followed, a name and password of the URL
 * go to its host alone. Throws `UnreachedError`, `DownloadRefusedError`, or `invalid` for what is no such URL.
 */
export async function download(text: string, { transport, stallMs, signal }: DownloadOptions): Promise<Download> {
  const first = parse(text)
  const authorization = basic(first)
  let url = bare(first)
  for (let hops = 0; hops <= maxRedirects; hops++) {
    const isOwn = url.origin === first.origin
    const headers: Headers = isOwn && authorization !== undefined ? { Authorization: authorization } : {}
    const answer = await transport.send({ method: 'GET', url, headers, signal })
    const { location } = answer.headers
    if (redirects.includes(answer.status) && location !== undefined) {
      await drop(answer)
      url = bare(parse(location, url))
      continue
    }
    if (answer.status >= 200 && answer.status < 300) return present(answer, stallMs)
    const said = await readLimited(answer, maxRefusalBytes).catch(() => Buffer.alloc(0))
    throw new DownloadRefusedError(answer, said.toString())
  }
  throw unavailable(`Get "${bare(first)}": stopped after ${maxRedirects} redirects`)
}

function parse(text: string, base?: URL): URL {
  const url = text.length <= 16 * 1024 && URL.canParse(text, base) ? new URL(text, base) : undefined
  if (!url) throw invalid(`parse ${JSON.stringify(text.slice(0, 200))}: invalid URL`)
  if (/^https?:$/.test(url.protocol)) return url
  throw invalid(`Get ${JSON.stringify(text)}: unsupported protocol scheme ${JSON.stringify(url.protocol.slice(0, -1))}`)
}

function basic({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

/** Without what is secret, and what is never sent. */
function bare(url: URL): URL {
  const copy = new URL(url)
  copy.username = ''
  copy.password = ''
  copy.hash = ''
  return copy
}

function present(answer: Answer, stallMs: number): Download {
  const { headers } = answer
  const modifiedMs = Date.parse(headers['last-modified'] ?? '')
  const sizeBytes = Number(headers['content-length'] ?? NaN)
  return {
    contentType: headers['content-type'] ?? '',
    modifiedMs: Number.isNaN(modifiedMs) ? undefined : modifiedMs,
    sizeBytes: Number.isNaN(sizeBytes) ? undefined : sizeBytes,
    body: watched(answer, stallMs),
  }
}
