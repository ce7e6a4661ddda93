import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { grpcCode, GrpcError, sessionMethods } from '@berth/buildkit-protocol'
import type { Session } from './session.ts'

/** A RUN may hold as many connections to an agent. */
const maxConnections = 64

/** Whether the client has an agent of that id. */
export async function hasAgent({ client }: Session, id: string, signal: AbortSignal): Promise<boolean> {
  try {
    await client.call(sessionMethods.checkAgent, { id }, { signal })
    return true
  } catch (error) {
    if (!(error instanceof GrpcError) || error.code === grpcCode.unavailable) throw error
    // The client has no words for it: whatever it answers means that the agent is not there.
    return false
  }
}

/** Listens at `path`; each connection is one to the client's agent. Disposing closes them all. */
export async function forwardAgent(session: Session, id: string, path: string): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    void forward(session, id, socket)
  })
  server.maxConnections = maxConnections
  server.listen(path)
  await once(server, 'listening')
  return {
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

async function forward({ client }: Session, id: string, socket: Socket): Promise<void> {
  try {
    const call = client.open(sessionMethods.forwardAgent, { metadata: { 'buildkit.ssh.id': id } })
    socket.once('close', () => call.cancel())
    const upwards = (async () => {
      for await (const data of socket as AsyncIterable<Buffer>) await call.send({ data })
      call.end()
    })()
    upwards.catch(() => socket.destroy())
    for await (const { data } of call.messages) {
      if (!socket.write(data)) await once(socket, 'drain')
    }
    socket.end()
  } catch {
    socket.destroy()
  }
}
