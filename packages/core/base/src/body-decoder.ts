import { ChunkedDecoder } from './chunked-decoder.ts'

/** How a body's end is told: by its size, or by HTTP's chunked coding (RFC 9112, section 7.1). */
export type BodyFraming = { readonly kind: 'sized'; readonly sizeBytes: number } | { readonly kind: 'chunked' }

/** Takes a body out of what a connection brings, piece by piece. */
export interface BodyDecoder {
  /** The parts of `bytes` that are the body's, in the same memory. What follows the body is passed over. */
  decode(bytes: Uint8Array): Uint8Array[]
  /** Whether nothing of the body is missing. */
  readonly isComplete: boolean
}

/** `invalid` is thrown by a decoder that meets what is no chunked coding. */
export const createBodyDecoder = (framing: BodyFraming): BodyDecoder =>
  framing.kind === 'sized' ? new SizedDecoder(framing.sizeBytes) : new ChunkedDecoder()

class SizedDecoder implements BodyDecoder {
  #left: number

  constructor(sizeBytes: number) {
    this.#left = sizeBytes
  }

  get isComplete(): boolean {
    return this.#left === 0
  }

  decode(bytes: Uint8Array): Uint8Array[] {
    const part = bytes.subarray(0, this.#left)
    this.#left -= part.length
    return part.length > 0 ? [part] : []
  }
}
