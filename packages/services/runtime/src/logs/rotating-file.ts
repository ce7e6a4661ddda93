import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { codeOf, messageOf } from '@berth/base'
import { compressRotated } from './compress-rotated.ts'
import type { EntryBoundaries } from './encoder.ts'
import { listRotated, rotatedPath } from './log-paths.ts'

export interface RotatingFileOptions {
  readonly path: string
  /** 0 never rotates. */
  readonly maxSizeBytes: number
  /** The current file included; 1 keeps none but the current one. */
  readonly maxFiles: number
  readonly compress: boolean
}

export type Warn = (fields: object, message: string) => void

/**
 * A log file that only ever grows by whole entries, and is rotated as Docker does it: before the entry that would be
 * written to a full one. Errors (a full disk) drop entries, are warned of once, and end when space is back.
 */
export class RotatingFile {
  readonly #options: RotatingFileOptions
  readonly #boundaries: EntryBoundaries
  readonly #warn: Warn
  #fd: number
  #size: number
  #droppedBytes = 0
  /** Half an entry is at the end and could not be taken back. */
  #torn = false

  constructor(options: RotatingFileOptions, boundaries: EntryBoundaries, warn: Warn) {
    this.#options = options
    this.#boundaries = boundaries
    this.#warn = warn
    mkdirSync(dirname(options.path), { recursive: true, mode: 0o700 })
    this.#fd = openLog(options.path)
    this.#size = this.#repair()
  }

  /** Writes whole entries. */
  append(entries: Buffer): void {
    const { maxSizeBytes } = this.#options
    for (let rest = entries; rest.length > 0;) {
      if (maxSizeBytes > 0 && this.#size >= maxSizeBytes) this.#rotate()
      const room = Math.max(maxSizeBytes - this.#size, 1)
      const length = maxSizeBytes > 0 && rest.length > room ? this.#boundaries.after(rest, room) : rest.length
      this.#write(rest.subarray(0, length))
      rest = rest.subarray(length)
    }
  }

  close(): void {
    closeSync(this.#fd)
    if (this.#droppedBytes > 0) this.#reportDropped()
  }

  #write(entries: Buffer): void {
    let written = 0
    try {
      if (this.#torn) this.#size = this.#repair()
      while (written < entries.length) written += writeSync(this.#fd, entries, written)
    } catch (error) {
      this.#drop(entries, written, error)
      return
    }
    this.#size += written
    if (this.#droppedBytes > 0) this.#reportDropped()
  }

  /** Keeps the whole entries that were written, takes back the half one after them. */
  #drop(entries: Buffer, written: number, error: unknown): void {
    const kept = this.#boundaries.before(entries, written)
    try {
      if (written > kept) ftruncateSync(this.#fd, this.#size + kept)
      this.#size += kept
    } catch {
      this.#torn = true
    }
    if (this.#droppedBytes === 0) {
      this.#warn({ path: this.#options.path, error: messageOf(error) }, 'log entries are dropped: writing fails')
    }
    this.#droppedBytes += entries.length - kept
  }

  #reportDropped(): void {
    this.#warn({ path: this.#options.path, droppedBytes: this.#droppedBytes }, 'log entries were dropped')
    this.#droppedBytes = 0
  }

  #rotate(): void {
    const { path, maxFiles } = this.#options
    try {
      if (maxFiles < 2) {
        ftruncateSync(this.#fd, 0)
        this.#size = 0
        return
      }
      // Opened under another name first: whatever fails from here on, there is a file to write to.
      const next = openLog(`${path}.next`, constants.O_TRUNC)
      shiftRotated(path, maxFiles)
      renameSync(path, rotatedPath(path, 1))
      renameSync(`${path}.next`, path)
      closeSync(this.#fd)
      this.#fd = next
      this.#size = 0
    } catch (error) {
      this.#warn({ path, error: messageOf(error) }, 'log is not rotated')
      return
    }
    if (this.#options.compress) compressRotated(path, this.#warn)
  }

  /** A crash may have left half an entry at the end. */
  #repair(): number {
    const { size } = fstatSync(this.#fd)
    const reader = openSync(this.#options.path, 'r')
    try {
      const intact = this.#boundaries.intact(reader, size)
      if (intact < size) truncateSync(this.#options.path, intact)
      this.#torn = false
      return intact
    } finally {
      closeSync(reader)
    }
  }
}

const openLog = (path: string, flags = 0): number =>
  openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | flags, 0o640)

/** Makes number 1 free: every rotated file gets the next number, what is beyond the last goes. */
function shiftRotated(path: string, maxFiles: number): void {
  for (const file of listRotated(path)) {
    if (file.index >= maxFiles - 1) rmSync(file.path, { force: true })
    else rename(file.path, rotatedPath(path, file.index + 1, file.compressed))
  }
}

function rename(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}
