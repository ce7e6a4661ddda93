import type { LogQuery } from '../log-query.ts'
import { align, useJsonLogModule } from './json-log-module.ts'
import type { LogOutput } from './log-output.ts'

/** More at once is not worth the memory, which is not given back. */
const maxBytes = 1 << 20
/** After so many entries in a row that were of another shape, the rest of a chunk is taken to be, too. */
const maxMisses = 8

/** Decodes the entries that jsonlog writes where nothing special was asked for, many at a time. */
export class PlainEntries {
  readonly #streams: number
  readonly #raw: boolean
  #misses = 0
  #length = 0

  constructor({ stdout, stderr, raw }: LogQuery) {
    this.#streams = Number(stdout) | (Number(stderr) << 1)
    this.#raw = raw
  }

  /** Whether entries can be decoded without looking at their times and attributes. */
  static suits({ sinceNs, untilNs, timestamps, details }: LogQuery): boolean {
    return sinceNs === undefined && untilNs === undefined && !timestamps && !details
  }

  /** The chunk that the next calls of `decode` are about. */
  begin(bytes: Buffer): void {
    this.#length = bytes.length
    this.#misses = bytes.length > maxBytes ? maxMisses : 0
    if (this.#misses > 0) return
    const module = useJsonLogModule()
    const to = this.#to(module.free)
    module.reserve(to + bytes.length)
    bytes.copy(module.bytes, module.free)
  }

  /** Puts the entries from `start` on into `output`; returns where one begins that is not whole, or of another shape. */
  decode(start: number, output: LogOutput): number {
    if (this.#misses === maxMisses || start === this.#length) return start
    const module = useJsonLogModule()
    const { free } = module
    const to = this.#to(free)
    const end = module.decode(free + start, free + this.#length, to, { streams: this.#streams, raw: this.#raw })
    output.reserve(end - to)
    output.put(module.bytes, to, end)
    const decoded = module.position - free
    this.#misses = decoded > start ? 0 : this.#misses + 1
    return decoded
  }

  #to(free: number): number {
    return align(free + this.#length + useJsonLogModule().slack)
  }
}
