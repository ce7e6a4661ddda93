/** Small pieces are put together up to this size. */
const defaultChunkBytes = 256 << 10

/**
 * `source` in pieces of `chunkBytes`, but for the last, whatever sizes it comes in. Each owns its memory, so that it can
 * be transferred to another thread.
 */
export async function* gathered(
  source: AsyncIterable<Uint8Array>,
  chunkBytes: number = defaultChunkBytes,
): AsyncGenerator<Buffer<ArrayBuffer>, void> {
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
