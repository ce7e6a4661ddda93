import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { type GrpcRouter, grpcCode, GrpcError, type ServerChannel, sessionMethods } from '@berth/buildkit-protocol'
import type { SessionService } from './open-session.ts'

type AgentChannel = ServerChannel<typeof sessionMethods.forwardAgent.input, typeof sessionMethods.forwardAgent.output>

const defaultId = 'default'

/** Lets the engine reach ssh agents, by id: paths of their sockets. */
export function agentsService(sockets: ReadonlyMap<string, string>): SessionService {
  const pathOf = (id: string): string => {
    const path = sockets.get(id === '' ? defaultId : id)
    if (path === undefined) throw new GrpcError(grpcCode.unknown, `unset ssh forward key ${id}`)
    return path
  }
  return (router: GrpcRouter) => {
    router.unary(sessionMethods.checkAgent, async ({ id }) => {
      pathOf(id)
      return {}
    })
    router.stream(sessionMethods.forwardAgent, async (channel) => {
      await forward(channel, pathOf(String(channel.metadata['buildkit.ssh.id'] ?? '')))
    })
    return [sessionMethods.checkAgent.path, sessionMethods.forwardAgent.path]
  }
}

/** One connection to the agent for each call. */
async function forward(channel: AgentChannel, path: string): Promise<void> {
  const socket = connect({ path, allowHalfOpen: true })
  await once(socket, 'connect')
  const stop = () => void socket.destroy()
  channel.signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.all([toAgent(channel, socket), fromAgent(channel, socket)])
  } finally {
    channel.signal.removeEventListener('abort', stop)
    socket.destroy()
  }
}

async function toAgent(channel: AgentChannel, socket: Socket): Promise<void> {
  for await (const { data } of channel.messages) {
    if (!socket.write(data)) await once(socket, 'drain')
  }
  socket.end()
}

async function fromAgent(channel: AgentChannel, socket: Socket): Promise<void> {
  for await (const data of socket as AsyncIterable<Buffer>) await channel.send({ data })
}
