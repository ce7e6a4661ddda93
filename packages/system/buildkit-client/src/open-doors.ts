import { Control, GrpcClient, LLBBridge, methodsOf } from '@berth/buildkit-protocol'
import type { Transport } from '@berth/engine-client'

/** BuildKit's service of an engine. Disposing it ends the connection, and the builds that run over it. */
export interface BuildkitDoor extends Disposable {
  readonly client: GrpcClient
}

export const controlMethods = methodsOf(Control)
export const bridgeMethods = methodsOf(LLBBridge)

/** Opens `/grpc`. Rejects with `ApiError` 404 where the engine has none. */
export async function openBuildkit(transport: Pick<Transport, 'upgrade'>): Promise<BuildkitDoor> {
  const socket = await transport.upgrade('/grpc', 'h2c')
  socket.on('error', () => undefined)
  const client = new GrpcClient(socket, () => undefined)
  return {
    client,
    [Symbol.dispose]: () => {
      client[Symbol.dispose]()
      socket.destroy()
    },
  }
}
