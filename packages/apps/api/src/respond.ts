import { httpStatus, isSocketStream, type Logger, messageOf } from '@berth/base'
import { encodeProgress, progressError } from '@berth/engine-api'
import { sendFromItsMaker } from './download.ts'
import type { Exchange } from './exchange.ts'
import { drained, isClientGone } from './flow.ts'

/** Answers with a JSON document, ended by a line feed as Docker does. */
export function sendJson({ response }: Exchange, value: unknown, status = 200): void {
  const body = `${JSON.stringify(value)}\n`
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
  response.end(body)
}

export function sendEmpty({ response }: Exchange, status: number): void {
  response.writeHead(status, status === 200 || status === 201 ? { 'Content-Length': 0 } : {})
  response.end()
}

/** Answers with an error, or breaks the connection when the answer had begun. */
export function sendError(exchange: Exchange, error: unknown, log: Logger): void {
  const { request, response } = exchange
  const status = httpStatus(error)
  if (isClientGone(error) && (response.headersSent || response.closed)) return void response.destroy()
  if (status === 500) log.error({ err: error, method: request.method, url: request.url }, 'request failed')
  if (response.headersSent) {
    response.destroy()
    return
  }
  if (status === 304) return sendEmpty(exchange, status)
  sendJson(exchange, { message: messageOf(error) }, status)
}

export interface ChunkOptions {
  readonly contentType: string
  /** Send the head before the first chunk is there. */
  readonly headAtOnce?: boolean
}

/** Answers with chunks as they come and no faster than the client reads. Stops, and ends `chunks`, when it is gone. */
export async function sendChunks(
  exchange: Exchange,
  chunks: AsyncIterable<Uint8Array | string>,
  { contentType, headAtOnce = false }: ChunkOptions,
): Promise<void> {
  const { response } = exchange
  const writeHead = () => response.writeHead(200, { 'Content-Type': contentType })
  if (isSocketStream(chunks) && (await sendFromItsMaker(exchange, chunks, writeHead))) return
  if (headAtOnce) writeHead().flushHeaders()
  for await (const chunk of chunks) {
    if (response.closed) return
    if (!response.headersSent) writeHead()
    if (!response.write(chunk)) await drained(response)
  }
  if (response.closed) return
  if (!response.headersSent) writeHead()
  response.end()
}

type Send = (message: Readonly<Record<string, unknown>>) => void

/**
 * Answers with the JSON messages that `work` sends. A failure after the first message ends the stream with an error
 * message; before it, it is an ordinary error unless `errorsInStream`.
 */
export async function sendProgress(
  { response }: Exchange,
  work: (send: Send) => Promise<void>,
  { errorsInStream }: { readonly errorsInStream: boolean },
): Promise<void> {
  const send: Send = (message) => {
    if (response.closed) return
    if (!response.headersSent) response.writeHead(200, { 'Content-Type': 'application/json' })
    response.write(encodeProgress(message))
  }
  try {
    await work(send)
  } catch (error) {
    if (!response.headersSent && !errorsInStream) throw error
    send({ ...progressError(messageOf(error)) })
  }
  if (!response.headersSent) response.writeHead(200, { 'Content-Type': 'application/json' })
  response.end()
}
