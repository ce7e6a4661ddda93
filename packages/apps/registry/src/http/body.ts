import type { Call } from './call.ts'
import { RegistryError } from './errors.ts'
import type { Pace } from './pace.ts'

/** The bytes of a request as they come; a client that waits to be asked for them is asked. Throws when it breaks off. */
export async function* bodyOf({ request, response }: Call, pace: Pace): AsyncGenerator<Buffer> {
  if (request.headers.expect !== undefined) response.writeContinue()
  using _ = pace.watchReceiving(request.socket)
  // Who stops early still has to be told why, on the same connection.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) yield chunk as Buffer
}

/** The whole body; 413 when it has more than `maxBytes`. */
export async function readBody(call: Call, pace: Pace, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of bodyOf(call, pace)) {
    size += chunk.length
    if (size > maxBytes)
      throw new RegistryError(413, 'SIZE_INVALID', `more than the ${maxBytes} bytes that are accepted`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
