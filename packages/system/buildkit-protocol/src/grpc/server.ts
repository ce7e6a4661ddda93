import { performServerHandshake } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { GrpcRouter } from './router.ts'
import { enlargeWindow, http2Options } from './settings.ts'

/** Serves gRPC on a connection that is open already; resolves when it is closed. */
export async function serveConnection(socket: Duplex, router: GrpcRouter): Promise<void> {
  const session = performServerHandshake(socket, http2Options)
  enlargeWindow(session)
  session.on('error', () => undefined)
  session.on('stream', (stream, headers, _flags, rawHeaders) => void router.answer(stream, headers, rawHeaders))
  // A client that is killed only ends its sending: the socket of an HTTP server stays half open.
  socket.once('end', () => session.destroy())
  await new Promise<void>((resolve) => {
    session.once('close', resolve)
    if (session.destroyed) resolve()
  })
  socket.destroy()
}
