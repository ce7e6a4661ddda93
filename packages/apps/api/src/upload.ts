import { borrowed, createBodyDecoder, type SocketSource } from '@berth/base'
import type { Exchange } from './exchange.ts'
import { type LeftBody, readAgain } from './left-bodies.ts'
import { socketDescriptor } from './socket-descriptor.ts'

/**
 * A request's body, as a stream. One that was left in its socket can be taken with it: another thread reads it in half
 * the time of two. What is not read is drained when it is disposed of, or, of a socket, after the answer.
 */
export function upload({ request, response, left }: Exchange): SocketSource & Disposable {
  if (!left) return { ...streamOf(borrowed(request)), takeSocket: () => undefined }
  const invite = () => {
    if (request.headers.expect !== undefined) response.writeContinue()
  }
  return {
    takeSocket: () => {
      const fd = socketDescriptor(left.socket)
      if (fd === undefined) return undefined
      invite()
      return { fd, head: left.head, framing: left.framing }
    },
    [Symbol.asyncIterator]: () => {
      invite()
      return bodyOf(left)
    },
    [Symbol.dispose]: () => undefined,
  }
}

const streamOf = (stream: AsyncIterable<Uint8Array> & Disposable) => ({
  [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
  [Symbol.dispose]: () => stream[Symbol.dispose](),
})

async function* bodyOf({ socket, head, framing }: LeftBody): AsyncGenerator<Uint8Array> {
  const decoder = createBodyDecoder(framing)
  yield* decoder.decode(head)
  if (decoder.isComplete) return
  for await (const chunk of readAgain(socket).iterator({ destroyOnReturn: false })) {
    yield* decoder.decode(chunk as Buffer)
    if (decoder.isComplete) return
  }
  throw Object.assign(new Error('the client is gone'), { code: 'ECONNRESET' })
}
