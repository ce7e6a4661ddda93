import { internal, invalid, messageOf, notFound } from '@berth/base'
import { Readable } from 'node:stream'
import type { Progress } from './images.ts'
import { progressBar } from './progress.ts'

/** Of a server's answer that refuses, so much is told. */
const maxRefusalBytes = 1024
/** A bar moves no more often than this. */
const intervalMs = 100

/**
 * The bytes behind a URL (http without a scheme, as Docker takes it), whose arrival `progress` hears of. Throws Docker's
 * words when the server cannot be asked or refuses.
 */
export async function openRemote(source: string, progress: Progress, signal: AbortSignal): Promise<Readable> {
  const url = /^[a-z][a-z\d+.-]*:\/\//i.test(source) ? source : `http://${source}`
  const get = `Get ${JSON.stringify(url)}`
  const [, scheme = ''] = /^([^:]+):/.exec(url) ?? []
  if (!/^https?$/i.test(scheme)) throw invalid(`${get}: unsupported protocol scheme ${JSON.stringify(scheme)}`)
  const response = await fetch(url, { signal }).catch((error: unknown) => {
    throw internal(`${get}: ${messageOf((error as Error).cause ?? error)}`, error)
  })
  if (!response.ok || !response.body) throw await refusal(url, response)
  progress({ status: `Downloading from ${url}` })
  const totalBytes = Number(response.headers.get('content-length') ?? 0)
  return Readable.from(reported(Readable.fromWeb(response.body), totalBytes, progress), { objectMode: false })
}

async function refusal(url: string, response: Response): Promise<Error> {
  const text = await response.text().catch(() => '')
  const status = `${response.status} ${response.statusText}`.trim()
  const message = `failed to GET ${url} with status ${status}: ${text.slice(0, maxRefusalBytes)}`
  return response.status === 404 ? notFound(message) : invalid(message)
}

/** Tells of the bytes that pass, and of the last ones for sure. */
async function* reported(body: AsyncIterable<Buffer>, totalBytes: number, progress: Progress): AsyncGenerator<Buffer> {
  let passed = 0
  let lastMs = 0
  const report = (): void => {
    lastMs = performance.now()
    const detail = { current: passed, ...(totalBytes > 0 && { total: totalBytes }) }
    progress({ status: 'Importing', progressDetail: detail, progress: progressBar(passed, totalBytes) })
  }
  for await (const chunk of body) {
    passed += chunk.length
    if (performance.now() - lastMs >= intervalMs) report()
    yield chunk
  }
  report()
}
