import { EngineError, unavailable } from '@berth/base'
import type { IncomingMessage } from 'node:http'
import { stallBytes } from '../settings.ts'

/** An answer's body ended before its end: another try may bring the rest. */
export class BrokenOffError extends EngineError {
  constructor(message: string, cause?: unknown) {
    super('unavailable', message, { cause })
  }
}

interface Body {
  readonly body: IncomingMessage
  readonly url: URL
}

/** The first `maxBytes` of a body; the connection goes with what is left. */
export async function readLimited({ body }: Body, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= maxBytes) break
  }
  return Buffer.concat(chunks).subarray(0, maxBytes)
}

/** A whole body; `unavailable` when it is longer than `maxBytes`, breaks off, or takes longer than `timeoutMs`. */
export async function readDocument(
  { body, url }: Body,
  { maxBytes, timeoutMs, what }: { maxBytes: number; timeoutMs: number; what: string },
): Promise<Buffer> {
  const timer = setTimeout(() => body.destroy(new Error(`not there after ${timeoutMs / 1000} s`)), timeoutMs)
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > maxBytes) break
      chunks.push(chunk)
    }
  } catch (error) {
    throw new BrokenOffError(`${what} from ${url.host}: ${brokenOff(error)}`, error)
  } finally {
    clearTimeout(timer)
  }
  if (bytes > maxBytes) throw unavailable(`${what} from ${url.host} is larger than ${maxBytes} bytes`)
  return Buffer.concat(chunks)
}

/** The chunks of a body; fails when it brings next to nothing for `stallMs` while we wait for it. */
export async function* watched({ body, url }: Body, stallMs: number): AsyncGenerator<Buffer> {
  let bytes = 0
  let isWaiting = true
  const timer = setInterval(() => {
    if (isWaiting && bytes < stallBytes) body.destroy(new Error('i/o timeout'))
    bytes = 0
  }, stallMs)
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      isWaiting = false
      yield chunk
      isWaiting = true
    }
  } catch (error) {
    throw new BrokenOffError(`${url.host}: ${brokenOff(error)}`, error)
  } finally {
    clearInterval(timer)
  }
}

function brokenOff(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message === 'aborted' ? 'unexpected EOF' : message
}
