import { codeOf } from '@berth/base'
import { once } from 'node:events'
import type { Writable } from 'node:stream'

/** Waits until more can be written, or nothing ever can. */
export async function drained(stream: Writable): Promise<void> {
  if (stream.closed) return
  const abort = new AbortController()
  const { signal } = abort
  try {
    await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })])
  } finally {
    abort.abort()
  }
}

const goneCodes = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED', 'ABORT_ERR'])

/** Whether an error says no more than that the client left, or was told to. */
export function isClientGone(error: unknown): boolean {
  return goneCodes.has(codeOf(error) ?? '') || (error instanceof Error && error.name === 'AbortError')
}
