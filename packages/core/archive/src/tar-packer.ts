import type { TarEntry } from './entry.ts'
import { encodeHeader } from './tar-format.ts'

export interface PackerOptions {
  /** Size of the chunks that come out. */
  readonly chunkBytes?: number
  /** Write mtimes with their fractions (a PAX record each). */
  readonly nanoseconds?: boolean
}

/**
 * A tar writer that is pushed: headers and content go in, whole chunks are `take()`n out. Each chunk owns its memory,
 * so that it can be transferred to another thread.
 */
export class TarPacker {
  readonly #chunkBytes: number
  readonly #nanoseconds: boolean
  #full: Buffer[] = []
  #chunk: Buffer
  #used = 0
  #contentLeft = 0
  #padding = 0
  #name = ''

  constructor(options: PackerOptions = {}) {
    this.#chunkBytes = options.chunkBytes ?? 256 << 10
    this.#nanoseconds = options.nanoseconds ?? false
    this.#chunk = Buffer.allocUnsafeSlow(this.#chunkBytes)
  }

  /** Begins an entry; its `sizeBytes` of content must follow. Sparse extents are written as zeros. */
  header(entry: TarEntry): void {
    this.#requireComplete()
    this.#append(encodeHeader(entry, { nanoseconds: this.#nanoseconds }))
    this.#name = entry.path
    this.#contentLeft = entry.sizeBytes
    this.#padding = (512 - (entry.sizeBytes % 512)) % 512
  }

  content(bytes: Uint8Array): void {
    this.#count(bytes.length)
    this.#append(bytes)
    this.#endIfComplete()
  }

  /**
   * Content straight into the chunk: `read` fills the start of the buffer it is given and returns how many bytes; fill()
   * returns the same. 0 ends the file: what is missing of its announced size is made up with zeros by the caller.
   */
  fill(read: (target: Buffer) => number): number {
    const room = this.#room()
    const count = read(room.subarray(0, Math.min(room.length, this.#contentLeft)))
    this.#count(count)
    this.#advance(count)
    this.#endIfComplete()
    return count
  }

  /** `sizeBytes` of zeros as content: a hole. */
  zeros(sizeBytes: number): void {
    this.#count(sizeBytes)
    this.#zeros(sizeBytes)
    this.#endIfComplete()
  }

  /** Bytes that the current entry still needs. */
  get contentLeft(): number {
    return this.#contentLeft
  }

  /** The two zero blocks; the rest can be taken then. */
  finish(): void {
    this.#requireComplete()
    this.#zeros(1024)
    if (this.#used > 0) this.#full.push(this.#chunk.subarray(0, this.#used))
    this.#used = 0
  }

  /** The chunks that are full. */
  take(): Buffer[] {
    const chunks = this.#full
    if (chunks.length > 0) this.#full = []
    return chunks
  }

  get hasChunk(): boolean {
    return this.#full.length > 0
  }

  #requireComplete(): void {
    if (this.#contentLeft > 0) throw new Error(`tar: ${this.#name} lacks ${this.#contentLeft} bytes`)
  }

  #count(sizeBytes: number): void {
    if (sizeBytes > this.#contentLeft) throw new Error(`tar: ${this.#name} has more bytes than announced`)
    this.#contentLeft -= sizeBytes
  }

  #endIfComplete(): void {
    if (this.#contentLeft > 0) return
    this.#zeros(this.#padding)
    this.#padding = 0
  }

  #append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const room = this.#room()
      const part = bytes.subarray(at, at + room.length)
      room.set(part)
      this.#advance(part.length)
      at += part.length
    }
  }

  #zeros(sizeBytes: number): void {
    for (let left = sizeBytes; left > 0;) {
      const room = this.#room()
      const count = Math.min(left, room.length)
      room.fill(0, 0, count)
      this.#advance(count)
      left -= count
    }
  }

  #room(): Buffer {
    return this.#chunk.subarray(this.#used)
  }

  #advance(count: number): void {
    this.#used += count
    if (this.#used < this.#chunkBytes) return
    this.#full.push(this.#chunk)
    this.#chunk = Buffer.allocUnsafeSlow(this.#chunkBytes)
    this.#used = 0
  }
}
