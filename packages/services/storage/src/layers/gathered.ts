/** Small pieces are put together up to this size. */
const chunkBytes = 256 << 10

/** `source` in pieces that own their memory, so that it can be transferred to another thread. */
export async function* gathered(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer<ArrayBuffer>, void> {
  let chunk = Buffer.allocUnsafeSlow(chunkBytes)
  let used = 0
  for await (const piece of source) {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + chunkBytes - used)
      chunk.set(part, used)
      used += part.length
      at += part.length
      if (used < chunkBytes) continue
      yield chunk
      chunk = Buffer.allocUnsafeSlow(chunkBytes)
      used = 0
    }
  }
  if (used > 0) yield chunk.subarray(0, used)
}
