import type { SocketStream } from '@berth/base'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Exchange } from './exchange.ts'
import { socketDescriptor } from './socket-descriptor.ts'

/**
 * Lets whoever makes `stream` write it to the client's connection, in half the time that it takes through this thread.
 * False where that cannot be: nothing of it is read then. The connection serves further requests.
 */
export async function sendFromItsMaker(
  { request, response }: Exchange,
  stream: SocketStream,
  writeHead: () => ServerResponse,
): Promise<boolean> {
  const { socket } = response
  const fd = socket === null || request.httpVersion !== '1.1' ? undefined : socketDescriptor(socket)
  if (socket === null || fd === undefined) return false
  const begin = async () => {
    writeHead().flushHeaders()
    await written(socket)
  }
  const stop = () => stream.destroy()
  if (response.closed) stop()
  response.once('close', stop)
  await stream.writeTo({ fd, begin })
  response.off('close', stop)
  if (response.closed) return true
  if (!response.headersSent) writeHead()
  response.end()
  return true
}

/** Waits until all that was given to the connection is with the kernel. */
function written(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => socket.write('', (error) => (error ? reject(error) : resolve())))
}
