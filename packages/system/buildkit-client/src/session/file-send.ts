import { type GrpcRouter, grpcCode, GrpcError, routeOf, sessionMethods } from '@berth/buildkit-protocol'
import { receiveDirectory } from '../files/receive-directory.ts'
import type { SessionService } from './open-session.ts'

/** Where the engine sends an output: into a directory, or one file as a stream of bytes. */
export type OutputTarget =
  | { readonly directory: string }
  | { readonly write: (chunks: AsyncIterable<Uint8Array>) => Promise<void> }

/** Takes outputs, by the numbers of their exporters. */
export function fileSendService(targets: ReadonlyMap<number, OutputTarget>): SessionService {
  return (router: GrpcRouter) => {
    router.choice(sessionMethods.sendTree.path, (metadata) => {
      const id = Number(metadata['buildkit-attachable-exporter-id'] ?? 0)
      const target = targets.get(id)
      if (target === undefined) throw new GrpcError(grpcCode.notFound, `no output ${id}`)
      if ('directory' in target) {
        return routeOf(sessionMethods.sendTree, (channel) => receiveDirectory(channel, target.directory))
      }
      return routeOf(sessionMethods.sendFile, (channel) => target.write(bytesOf(channel.messages)))
    })
    return [sessionMethods.sendTree.path]
  }
}

async function* bytesOf(messages: AsyncIterable<{ readonly data: Uint8Array }>): AsyncGenerator<Uint8Array> {
  for await (const { data } of messages) yield data
}
