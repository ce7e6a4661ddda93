import { writeSync } from 'node:fs'
import { codeOf } from '@berth/base'

/** Whoever read our output is gone: 128 + SIGPIPE, as for a program that the signal kills. */
const brokenPipeCode = 141
const retryMs = 2

/** Writes all of it before it returns, so that nothing is lost or held in memory when the process ends. */
export function writeAll(fd: number, data: string | Uint8Array): void {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  let at = 0
  while (at < bytes.length) at += writeSome(fd, bytes.subarray(at))
}

function writeSome(fd: number, bytes: Uint8Array): number {
  try {
    return writeSync(fd, bytes)
  } catch (error) {
    if (codeOf(error) === 'EPIPE') process.exit(brokenPipeCode)
    if (codeOf(error) !== 'EAGAIN') throw error
    // Somebody made the descriptor non-blocking: wait for the reader.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs)
    return 0
  }
}
