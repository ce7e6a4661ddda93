import type { FileHandle } from 'node:fs/promises'
import type { LinePiece } from './line-cutter.ts'

/** Where entries of a log format begin and end in bytes that start with one and hold only whole ones. */
export interface EntryBoundaries {
  /** The first end of an entry at or after `position`; the length of `bytes` when there is none. */
  after(bytes: Buffer, position: number): number
  /** The last end of an entry at or before `position`; 0 when there is none. */
  before(bytes: Buffer, position: number): number
  /** How many bytes at the start of an existing file are whole entries. `file` is open for reading. */
  intact(file: FileHandle, size: number): Promise<number>
}

/** Turns lines into a log format's entries. The result is valid until the next call of any encoder of the format. */
export interface LogEncoder {
  readonly boundaries: EntryBoundaries
  /** Whole lines, each with its newline. */
  lines(bytes: Buffer, timeNs: bigint): Buffer
  piece(bytes: Buffer, piece: LinePiece, timeNs: bigint): Buffer
}
