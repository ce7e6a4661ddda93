import { borrowed, leastHead, type SocketBytes, type SocketSource } from '@berth/base'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Exchange } from './exchange.ts'
import { socketDescriptor } from './socket-descriptor.ts'

/** Below this the connection is worth more than what is won. */
const leastBytes = 1 << 20

/**
 * A request's body, as a stream. One whose size was announced can be left in its socket, with no more than its beginning
 * read: another thread reads it in half the time of two. The parser then misses the end of this request, so that the
 * connection serves no other. What is not read is drained when it is disposed of.
 */
export function upload({ request, response }: Exchange): SocketSource & Disposable {
  const stream = borrowed(request)
  let isTaken = false
  return {
    [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
    takeSocket: async () => {
      const fd = descriptorOf(request)
      if (fd === undefined || !(await hasBegun(request))) return undefined
      isTaken = true
      response.setHeader('Connection', 'close')
      return await takeOver(request, fd)
    },
    [Symbol.dispose]: () => {
      if (!isTaken) stream[Symbol.dispose]()
    },
  }
}

const announcedBytes = ({ headers }: IncomingMessage): number =>
  headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : 0

function descriptorOf(request: IncomingMessage): number | undefined {
  return announcedBytes(request) < leastBytes ? undefined : socketDescriptor(request.socket)
}

/** Waits for the body's first bytes; false when they are too few, or none will come. */
async function hasBegun(request: IncomingMessage): Promise<boolean> {
  if (request.readableLength === 0) await Promise.race([once(request, 'readable'), once(request, 'close')])
  return request.readableLength >= leastHead
}

/** What was read of the body; after it Node reads the socket no more. */
async function takeOver(request: IncomingMessage, fd: number): Promise<SocketBytes> {
  const { socket } = request
  socket.pause()
  // What the parser has in hands yet it delivers before this.
  await new Promise((resolve) => setImmediate(resolve))
  const chunks: Buffer[] = []
  for (let chunk = request.read(); chunk !== null; chunk = request.read()) chunks.push(chunk as Buffer)
  // A body that is read makes Node resume the socket in its next tick. Nothing is read before the tick after.
  await new Promise<void>((resolve) => process.nextTick(resolve))
  socket.pause()
  const head = Buffer.concat(chunks)
  return { fd, head, sizeBytes: announcedBytes(request) - head.length }
}
