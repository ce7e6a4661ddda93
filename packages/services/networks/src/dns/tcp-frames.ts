/** A message as TCP carries it: its length before it (RFC 1035, 4.2.2). */
export function frame(message: Uint8Array): Buffer {
  const bytes = Buffer.alloc(2 + message.length)
  bytes.writeUInt16BE(message.length, 0)
  bytes.set(message, 2)
  return bytes
}

/** The first message of what has come, and what follows it; undefined: it is not complete. */
export function readFrame(bytes: Buffer): { readonly message: Buffer; readonly rest: Buffer } | undefined {
  if (bytes.length < 2) return undefined
  const end = 2 + bytes.readUInt16BE(0)
  return bytes.length < end ? undefined : { message: bytes.subarray(2, end), rest: bytes.subarray(end) }
}
