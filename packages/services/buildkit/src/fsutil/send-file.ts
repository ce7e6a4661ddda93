import type { Readable } from 'node:stream'
import { sessionMethods } from '@berth/buildkit-protocol'
import type { Session } from '../session/session.ts'
import type { SendOptions } from './send-tree.ts'

/** Clients take messages of 4 MiB. */
const maxPieceBytes = 3 << 20

/** Sends a stream to a client that exports one file. */
export async function sendFile(session: Session, file: Readable, options: SendOptions): Promise<number> {
  const metadata = { 'buildkit-attachable-exporter-id': String(options.exporterId) }
  const call = session.client.open(sessionMethods.sendFile, { metadata, signal: options.signal })
  let bytes = 0
  for await (const chunk of file as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; at += maxPieceBytes) {
      await call.send({ data: chunk.subarray(at, at + maxPieceBytes) })
    }
    bytes += chunk.length
    options.onProgress(bytes)
  }
  call.end()
  for await (const _ of call.messages) continue
  return bytes
}
