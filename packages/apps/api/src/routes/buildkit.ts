import { invalid } from '@berth/base'
import type { Buildkit } from '@berth/buildkit'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Exchange } from '../exchange.ts'
import type { Route } from '../router.ts'

interface Deps {
  readonly buildkit: () => Promise<Buildkit>
}

/** BuildKit's doors: connections that become HTTP/2 (RFC 7540, section 3.2), to call the engine, or to be called by it. */
export function buildkitRoutes({ buildkit }: Deps): Route[] {
  return [
    {
      method: 'POST',
      path: '/grpc',
      upgradesTo: 'h2c',
      handler: async (exchange) => {
        requireUpgrade(exchange)
        const doors = await buildkit()
        await doors.serve(switchProtocols(exchange))
      },
    },
    {
      method: 'POST',
      path: '/session',
      upgradesTo: 'h2c',
      handler: async (exchange) => {
        requireUpgrade(exchange)
        const doors = await buildkit()
        const id = exchange.request.headers['x-docker-expose-session-uuid']
        if (typeof id !== 'string') throw invalid('the session has no id')
        doors.requireFree(id)
        const sharedKey = exchange.request.headers['x-docker-expose-session-sharedkey']
        const identity = { id, sharedKey: typeof sharedKey === 'string' ? sharedKey : '' }
        doors.addSession(identity, switchProtocols(exchange))
      },
    },
  ]
}

function requireUpgrade({ upgraded }: Exchange): void {
  if (!upgraded) throw invalid('no upgrade proto in request')
}

function switchProtocols({ upgraded, response }: Exchange): Duplex {
  const { socket } = upgraded as NonNullable<Exchange['upgraded']>
  response.detachSocket(socket as Socket)
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n')
  return socket
}
