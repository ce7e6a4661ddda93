import type { LogQuery } from '../log-query.ts'
import type { OpenFile } from './open-file.ts'

export interface Decoded {
  /** The entries that are wanted, as the query wants them; the caller's. */
  readonly output: Buffer
  /** Bytes at the start of the input that are done with. */
  readonly consumed: number
}

/** Turns a log format's entries into what a client reads. Corrupt entries are passed over. */
export interface LogDecoder {
  /** Decodes the whole entries that `bytes` starts with. */
  decode(bytes: Buffer): Decoded
  /** Passes over that many entries first. */
  skip(entries: number): void
  /** An entry after `untilNs` was met: no more is wanted. */
  readonly finished: boolean
}

/** What reading needs of a log format. */
export interface LogFormat {
  decoder(query: LogQuery): LogDecoder
  /** Counts the whole entries that `bytes` starts with. */
  count(bytes: Buffer): { readonly entries: number; readonly consumed: number }
  /**
   * Where the last `entries` entries of a file of `size` bytes begin, read from its end by blocks; when it has fewer, 0
   * and how many.
   */
  tail(file: OpenFile, size: number, entries: number): Promise<{ readonly start: number; readonly entries: number }>
}
