import type { BlobSource } from './blob-source.ts'
import type { Call } from './call.ts'

/** Two buffers of so much a request are all that is held of a blob. */
const bufferBytes = 512 * 1024

/** Sends bytes `start` to `end`, both included, as the body and ends the response; reads a piece while one is sent. */
export async function sendBytes(
  call: Call,
  source: BlobSource,
  { start, end }: { readonly start: number; readonly end: number },
): Promise<void> {
  const buffers = [0, 1].map(() => Buffer.allocUnsafeSlow(Math.min(bufferBytes, end - start + 1)))
  let sending = Promise.resolve()
  for (let position = start, turn = 0; position <= end; turn++) {
    const buffer = buffers[turn % 2] as Buffer
    const count = await source.read(buffer.subarray(0, end - position + 1), position)
    position += count
    await sending
    sending = write(call, buffer.subarray(0, count))
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
