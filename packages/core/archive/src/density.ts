/** One byte of so many is looked at; a prime, so that records of even lengths are seen at every offset. */
const stride = 61
/** Bits per byte beyond which Huffman codes gain less than they cost. What is compressed or encrypted has 7.9 and more. */
const denseBits = 7.8

/**
 * Whether the bytes are as good as random: compressed, encrypted. Told by the entropy of a sample, for compressing such
 * bytes takes longer than any others, in vain.
 */
export function isDense(bytes: Uint8Array): boolean {
  const counts = new Uint32Array(256)
  let samples = 0
  for (let at = 0; at < bytes.length; at += stride) {
    const byte = bytes[at] as number
    counts[byte] = (counts[byte] as number) + 1
    samples++
  }
  // A small sample cannot show as many bits.
  return samples >= 2048 && entropyOf(counts, samples) > denseBits
}

/** Bits per sample. */
function entropyOf(counts: Uint32Array, samples: number): number {
  let bits = 0
  for (const count of counts) if (count > 0) bits += count * Math.log2(samples / count)
  return bits / samples
}
