import { open } from 'node:fs/promises'
import type { Call } from './call.ts'

/** Two buffers of so much a request are all that is held of a blob. */
const bufferBytes = 512 * 1024

export interface FilePart {
  readonly path: string
  readonly start: number
  /** Included. */
  readonly end: number
  /** Resolves when the file has more than `position` bytes, where it still grows. */
  readonly grown?: (position: number) => Promise<void>
}

/** Sends a part of a file as the body and ends the response; the next piece is read while one is sent. */
export async function sendFile(call: Call, { path, start, end, grown }: FilePart): Promise<void> {
  await using file = await open(path)
  const buffers = [0, 1].map(() => Buffer.allocUnsafeSlow(Math.min(bufferBytes, end - start + 1)))
  let sending = Promise.resolve()
  for (let position = start, turn = 0; position <= end; turn++) {
    await grown?.(position)
    const buffer = buffers[turn % 2] as Buffer
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, end - position + 1), position)
    if (bytesRead === 0) throw new Error(`${path} is shorter than it was`)
    position += bytesRead
    await sending
    sending = write(call, buffer.subarray(0, bytesRead))
    sending.catch(() => {})
  }
  await sending
  call.response.end()
}

/** Resolves when the kernel has taken the bytes: then the buffer is free again. */
function write({ response, signal }: Call, bytes: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // A response that is destroyed may never call back.
  const onGone = () => reject(signal.reason)
  signal.addEventListener('abort', onGone, { once: true })
  if (signal.aborted) onGone()
  else response.write(bytes, (error) => (error ? reject(error) : resolve()))
  return promise.finally(() => signal.removeEventListener('abort', onGone))
}
