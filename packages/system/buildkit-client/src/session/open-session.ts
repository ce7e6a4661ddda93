import { randomBytes } from 'node:crypto'
import { messageOf } from '@berth/base'
import { grpcCode, GrpcError, GrpcRouter, serveConnection, sessionMethods } from '@berth/buildkit-protocol'
import type { Transport } from '@berth/engine-client'

/** Adds methods that the engine may call to a session; the paths that it added, for the engine to know. */
export type SessionService = (router: GrpcRouter) => readonly string[]

/** What the engine may ask of us while it builds. Disposing it ends the connection. */
export interface ClientSession extends Disposable {
  readonly id: string
}

const serving = 1

/** Opens a session: a connection on which the engine is the client. `sharedKey` tells contexts of one client apart. */
export async function openSession(
  transport: Pick<Transport, 'upgrade'>,
  services: readonly SessionService[],
  sharedKey = '',
): Promise<ClientSession> {
  const id = randomBytes(12).toString('hex')
  const router = new GrpcRouter((error) =>
    error instanceof GrpcError ? error : new GrpcError(grpcCode.unknown, messageOf(error)),
  )
  router.unary(sessionMethods.health, async () => ({ status: serving }))
  const methods = [sessionMethods.health.path, ...services.flatMap((add) => add(router))]
  const socket = await transport.upgrade('/session', 'h2c', {
    'X-Docker-Expose-Session-Uuid': id,
    'X-Docker-Expose-Session-Name': '',
    'X-Docker-Expose-Session-Sharedkey': sharedKey.replaceAll(/[^\u0020-\u007E]/g, '?'),
    'X-Docker-Expose-Session-Grpc-Method': methods,
  })
  socket.on('error', () => undefined)
  void serveConnection(socket, router)
  return { id, [Symbol.dispose]: () => void socket.destroy() }
}
