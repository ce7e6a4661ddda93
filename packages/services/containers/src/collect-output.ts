import { FrameDecoder } from '@berth/engine-api'
import type { Readable } from 'node:stream'

/** Gathers the payload of a framed output stream, both streams as they come, at most `limitBytes` of it and then dots. */
export function collectOutput(stream: Readable, limitBytes: number): { text(): string; readonly ended: Promise<void> } {
  const frames = new FrameDecoder()
  const kept: Buffer[] = []
  let roomBytes = limitBytes
  let isCut = false
  stream.on('data', (chunk: Buffer) => {
    for (const { payload } of frames.push(chunk)) {
      const part = payload.subarray(0, roomBytes)
      roomBytes -= part.length
      isCut ||= part.length < payload.length
      if (part.length > 0) kept.push(Buffer.from(part))
    }
  })
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  for (const event of ['end', 'close', 'error']) stream.on(event, () => resolve())
  return { text: () => `${Buffer.concat(kept).toString()}${isCut ? '...' : ''}`, ended }
}
