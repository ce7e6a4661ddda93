import type { Readable } from 'node:stream'

const headBytes = 8

/** Gathers the payload of a framed output stream, both streams as they come, at most `limitBytes` of it. */
export function collectOutput(stream: Readable, limitBytes: number): { text(): string; readonly ended: Promise<void> } {
  const kept: Buffer[] = []
  let roomBytes = limitBytes
  const payload = frameReader((bytes) => {
    const part = bytes.subarray(0, roomBytes)
    roomBytes -= part.length
    if (part.length > 0) kept.push(Buffer.from(part))
  })
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  stream.on('data', payload)
  for (const event of ['end', 'close', 'error']) stream.on(event, () => resolve())
  return { text: () => Buffer.concat(kept).toString(), ended }
}

/** Passes on what lies between the heads, whatever the chunks' borders. */
function frameReader(use: (payload: Buffer) => void): (chunk: Buffer) => void {
  let head = Buffer.alloc(0)
  let leftBytes = 0
  return (chunk) => {
    for (let rest = chunk; rest.length > 0;) {
      if (leftBytes === 0) {
        const part = rest.subarray(0, headBytes - head.length)
        head = Buffer.concat([head, part])
        rest = rest.subarray(part.length)
        if (head.length < headBytes) return
        leftBytes = head.readUInt32BE(4)
        head = Buffer.alloc(0)
      } else {
        const payload = rest.subarray(0, leftBytes)
        use(payload)
        leftBytes -= payload.length
        rest = rest.subarray(payload.length)
      }
    }
  }
}
