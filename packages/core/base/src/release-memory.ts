/**
 * Frees what lies beneath `chunk` at once, for a caller who was its only reader. Streams allocate anew for each chunk, and
 * V8 collects only once a thread has 64 MB of them. A chunk that does not reach to its buffer's end stays: its stream may
 * go on filling that.
 */
export function releaseMemory({ buffer, byteOffset, byteLength }: Uint8Array): void {
  if (!(buffer instanceof ArrayBuffer) || byteOffset + byteLength < buffer.byteLength) return
  buffer.transfer(0)
}
