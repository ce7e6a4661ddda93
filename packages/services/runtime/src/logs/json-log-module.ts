import { wasm } from './wasm/json-log.ts'

/** What TypeScript declares for browsers only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: object }
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  readonly position: { readonly value: number }
  escape(source: number, end: number, to: number, limit: number, line: number, lineBytes: number): number
  decode(source: number, end: number, to: number, wanted: number, raw: number): number
}

/** Escapes, eight bytes each: 256 bytes' and two separators'. */
const escapesBytes = 258 * 8

/** The inner loops of wasm/json-log.wat, and their memory. Every call lays it out anew behind the escapes. */
export class JsonLogModule {
  /** Where a call may put what it works on. */
  readonly free = align(escapesBytes)
  /** The loops may read so much past what they are given. */
  readonly slack = 64
  readonly #exports: Exports
  #bytes: Buffer

  constructor() {
    const module = new WebAssembly.Module(Buffer.from(wasm, 'base64'))
    this.#exports = new WebAssembly.Instance(module).exports as Exports
    this.#bytes = Buffer.from(this.#exports.memory.buffer)
    this.#writeEscapes()
  }

  /** The whole memory, until it grows. */
  get bytes(): Buffer {
    return this.#bytes
  }

  /** How far into its source the last call came. */
  get position(): number {
    return this.#exports.position.value
  }

  /** Makes `size` bytes usable, and the slack after them. */
  reserve(size: number): void {
    const missing = size + this.slack - this.#bytes.length
    if (missing <= 0) return
    this.#exports.memory.grow(Math.ceil(missing / 65536))
    this.#bytes = Buffer.from(this.#exports.memory.buffer)
  }

  /** The UTF-8 between `source` and `end`, in which 0xff is an invalid byte, escaped at `to`, until near the memory's end. */
  escape(source: number, end: number, to: number, newline: { readonly at: number; readonly length: number }): number {
    const limit = this.#bytes.length - this.slack - newline.length
    return this.#exports.escape(source, end, to, limit, newline.at, newline.length)
  }

  /** The entries between `source` and `end` as frames (or `raw`) at `to`, as far as they have jsonlog's plainest shape. */
  decode(source: number, end: number, to: number, { streams, raw }: { streams: number; raw: boolean }): number {
    return this.#exports.decode(source, end, to, streams, Number(raw))
  }

  #writeEscapes(): void {
    const escapes = Array.from({ length: 256 }, (_, byte) => escapeOf(byte))
    for (const [index, text] of [...escapes, '\\u2028', '\\u2029'].entries()) {
      this.#bytes[index * 8] = text.length
      this.#bytes.write(text, index * 8 + 1, 'latin1')
    }
  }
}

export const align = (offset: number): number => (offset + 15) & ~15

/** One byte as Docker's jsonlog has it, in latin1; 0xff, which UTF-8 has not, is an invalid one. */
function escapeOf(byte: number): string {
  if (byte === 0xff) return '\\ufffd'
  const character = String.fromCharCode(byte)
  if (character === '"' || character === '\\') return `\\${character}`
  if (character === '\r') return '\\r'
  if (byte >= 0x20 && !'<>&'.includes(character)) return character
  return `\\u${byte.toString(16).padStart(4, '0')}`
}

let shared: JsonLogModule | undefined

/** The process's one, made when it is first needed. */
export const useJsonLogModule = (): JsonLogModule => (shared ??= new JsonLogModule())
