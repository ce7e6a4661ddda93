import { internal, invalid, isKind, messageOf, notFound } from '@berth/base'
import { DownloadRefusedError, type Registries } from '@berth/registry'
import { Readable } from 'node:stream'
import type { Progress } from './images.ts'
import { progressBar } from './progress.ts'

/** A bar moves no more often than this. */
const intervalMs = 100

/** Fetches from URLs. */
export type Downloader = Pick<Registries, 'download'>

/**
 * The bytes behind a URL (http without a scheme, as Docker takes it), whose arrival `progress` hears of. Throws Docker's
 * words when the server cannot be asked or refuses.
 */
export async function openRemote(
  downloader: Downloader,
  source: string,
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<Readable> {
  const url = /^[a-z][a-z\d+.-]*:\/\//i.test(source) ? source : `http://${source}`
  const { body, sizeBytes = 0 } = await downloader.download(url, signal).catch((error: unknown) => {
    throw explain(url, error)
  })
  progress({ status: `Downloading from ${url}` })
  return Readable.from(reported(body, sizeBytes, progress), { objectMode: false })
}

function explain(url: string, error: unknown): Error {
  if (!(error instanceof DownloadRefusedError)) return isInvalid(error) ? error : internal(messageOf(error), error)
  const message = `failed to GET ${url} with status ${error.statusLine}: ${error.text}`
  return error.status === 404 ? notFound(message) : invalid(message)
}

const isInvalid = (error: unknown): error is Error => isKind(error, 'invalid')

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
