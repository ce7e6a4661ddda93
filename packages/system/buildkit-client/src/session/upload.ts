import { type GrpcRouter, grpcCode, GrpcError, sessionMethods } from '@berth/buildkit-protocol'
import type { SessionService } from './open-session.ts'

/** The engine takes messages of 16 MiB; theirs of 4. */
const pieceBytes = 1 << 20

/** The URL of the one stream that a session offers. */
export const uploadUrl = 'http://buildkit-session/context'

/** Offers a stream, an archive, which the engine reads once as `uploadUrl`. */
export function uploadService(source: AsyncIterable<Uint8Array>): SessionService {
  let isTaken = false
  return (router: GrpcRouter) => {
    router.stream(sessionMethods.upload, async (channel) => {
      if (channel.metadata['urlpath'] !== '/context' || isTaken) {
        throw new GrpcError(grpcCode.notFound, 'the stream of the context can be read once')
      }
      isTaken = true
      for await (const chunk of source) {
        for (let at = 0; at < chunk.length; at += pieceBytes) {
          await channel.send({ data: chunk.subarray(at, at + pieceBytes) })
        }
      }
    })
    return [sessionMethods.upload.path]
  }
}
