/** Builds netlink messages, several in one buffer (Documentation/userspace-api/netlink/intro.rst). Native byte order: little. */
export class NetlinkMessage {
  #buffer = Buffer.alloc(1024)
  #length = 0
  #sequence = 0
  #acknowledgements = 0

  /** What was built so far. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  /** How many acknowledgements the kernel will send. */
  get acknowledgements(): number {
    return this.#acknowledgements
  }

  /** One message: struct nlmsghdr, then what `body` writes. Its number is its place, from 1. */
  message(type: number, flags: number, body: () => void): this {
    const start = this.#length
    this.#sequence++
    if (flags & NLM_F_ACK) this.#acknowledgements++
    this.u32(0).u16(type).u16(flags).u32(this.#sequence).u32(0)
    body()
    this.#buffer.writeUInt32LE(this.#length - start, start)
    return this.#align()
  }

  /** A nested attribute. */
  nest(type: number, body: () => void): this {
    const start = this.#length
    this.u16(0).u16(type)
    body()
    this.#buffer.writeUInt16LE(this.#length - start, start)
    return this.#align()
  }

  /** An attribute: text gets its NUL, a number is 32 bits. */
  attribute(type: number, value: string | number | Uint8Array): this {
    if (typeof value === 'number') return this.u16(8).u16(type).u32(value)
    const bytes = typeof value === 'string' ? Buffer.from(`${value}\0`) : value
    this.u16(4 + bytes.length).u16(type)
    return this.raw(bytes).#align()
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  u8(value: number): this {
    this.#reserve(1)
    this.#length = this.#buffer.writeUInt8(value, this.#length)
    return this
  }

  u16(value: number): this {
    this.#reserve(2)
    this.#length = this.#buffer.writeUInt16LE(value, this.#length)
    return this
  }

  u16be(value: number): this {
    this.#reserve(2)
    this.#length = this.#buffer.writeUInt16BE(value, this.#length)
    return this
  }

  u32(value: number): this {
    this.#reserve(4)
    this.#length = this.#buffer.writeUInt32LE(value >>> 0, this.#length)
    return this
  }

  #align(): this {
    const padding = align4(this.#length) - this.#length
    if (padding > 0) this.raw(new Uint8Array(padding))
    return this
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#buffer.length) return
    const larger = Buffer.alloc(Math.max(this.#buffer.length * 2, this.#length + size))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}

export const align4 = (length: number): number => (length + 3) & ~3

// include/uapi/linux/netlink.h
export const NLM_F_REQUEST = 0x1
export const NLM_F_ACK = 0x4
export const NLM_F_EXCL = 0x200
export const NLM_F_CREATE = 0x400
export const NLM_F_DUMP = 0x300

/** The attributes in a range of a buffer, by type; of repeated ones the last. */
export function readAttributes(buffer: Buffer, start: number, end: number): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>()
  for (let offset = start; offset + 4 <= end;) {
    const length = buffer.readUInt16LE(offset)
    if (length < 4 || offset + length > end) break
    // NLA_F_NESTED and NLA_F_NET_BYTEORDER are not part of the type.
    attributes.set(buffer.readUInt16LE(offset + 2) & 0x3fff, buffer.subarray(offset + 4, offset + length))
    offset += align4(length)
  }
  return attributes
}

/** An attribute's text without its NUL. */
export function readText(attribute: Buffer | undefined): string {
  if (!attribute) return ''
  const end = attribute.indexOf(0)
  return attribute.toString('utf8', 0, end < 0 ? attribute.length : end)
}
