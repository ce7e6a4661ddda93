import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf, messageOf } from '@berth/base'
import { compressRotated, renaming } from './compress-rotated.ts'
import type { EntryBoundaries } from './encoder.ts'
import { findRotated, rotatedPath } from './log-paths.ts'

export interface RotatingFileOptions {
  readonly path: string
  /** 0 never rotates. */
  readonly maxSizeBytes: number
  /** The current file included; 1 keeps none but the current one. */
  readonly maxFiles: number
  readonly compress: boolean
}

export type Warn = (fields: object, message: string) => void

/** Opens (and creates) a log file; takes back half an entry that a crash may have left at its end. */
export async function openRotatingFile(
  options: RotatingFileOptions,
  boundaries: EntryBoundaries,
  warn: Warn,
): Promise<RotatingFile> {
  await mkdir(dirname(options.path), { recursive: true, mode: 0o700 })
  const handle = await openLog(options.path)
  try {
    return new RotatingFile({ options, boundaries, warn }, handle, await repair(handle, options.path, boundaries))
  } catch (error) {
    await handle.close()
    throw error
  }
}

interface Setting {
  readonly options: RotatingFileOptions
  readonly boundaries: EntryBoundaries
  readonly warn: Warn
}

/**
 * A log file that only ever grows by whole entries, and is rotated as Docker does it: before the entry that would be
 * written to a full one. Errors (a full disk) drop entries, are warned of once, and end when space is back. One call at a
 * time.
 */
export class RotatingFile {
  readonly #setting: Setting
  #handle: FileHandle
  #size: number
  #droppedBytes = 0
  /** Half an entry is at the end and could not be taken back. */
  #torn = false

  constructor(setting: Setting, handle: FileHandle, size: number) {
    this.#setting = setting
    this.#handle = handle
    this.#size = size
  }

  /** Writes whole entries. */
  async append(entries: Buffer): Promise<void> {
    const { options, boundaries } = this.#setting
    const { maxSizeBytes } = options
    for (let rest = entries; rest.length > 0;) {
      if (maxSizeBytes > 0 && this.#size >= maxSizeBytes) await this.#rotate()
      const room = Math.max(maxSizeBytes - this.#size, 1)
      const length = maxSizeBytes > 0 && rest.length > room ? boundaries.after(rest, room) : rest.length
      await this.#write(rest.subarray(0, length))
      rest = rest.subarray(length)
    }
  }

  async close(): Promise<void> {
    await this.#handle.close()
    if (this.#droppedBytes > 0) this.#reportDropped()
  }

  async #write(entries: Buffer): Promise<void> {
    const { options, boundaries } = this.#setting
    let written = 0
    try {
      if (this.#torn) await this.#repair(options.path, boundaries)
      while (written < entries.length) written += (await this.#handle.write(entries, written)).bytesWritten
    } catch (error) {
      await this.#drop(entries, written, error)
      return
    }
    this.#size += written
    if (this.#droppedBytes > 0) this.#reportDropped()
  }

  async #repair(path: string, boundaries: EntryBoundaries): Promise<void> {
    this.#size = await repair(this.#handle, path, boundaries)
    this.#torn = false
  }

  /** Keeps the whole entries that were written, takes back the half one after them. */
  async #drop(entries: Buffer, written: number, error: unknown): Promise<void> {
    const { options, boundaries, warn } = this.#setting
    const kept = boundaries.before(entries, written)
    try {
      if (written > kept) await this.#handle.truncate(this.#size + kept)
      this.#size += kept
    } catch {
      this.#torn = true
    }
    if (this.#droppedBytes === 0) {
      warn({ path: options.path, error: messageOf(error) }, 'log entries are dropped: writing fails')
    }
    this.#droppedBytes += entries.length - kept
  }

  #reportDropped(): void {
    const { options, warn } = this.#setting
    warn({ path: options.path, droppedBytes: this.#droppedBytes }, 'log entries were dropped')
    this.#droppedBytes = 0
  }

  async #rotate(): Promise<void> {
    const { options, warn } = this.#setting
    const { path, maxFiles } = options
    try {
      if (maxFiles < 2) {
        await this.#handle.truncate(0)
        this.#size = 0
        return
      }
      // Opened under another name first: whatever fails from here on, there is a file to write to.
      const next = await openLog(`${path}.next`, constants.O_TRUNC)
      await renaming.run(path, async () => {
        await shiftRotated(path, maxFiles)
        await rename(path, rotatedPath(path, 1))
        await rename(`${path}.next`, path)
      })
      await this.#handle.close()
      this.#handle = next
      this.#size = 0
    } catch (error) {
      warn({ path, error: messageOf(error) }, 'log is not rotated')
      return
    }
    if (options.compress) compressRotated(path, warn)
  }
}

const openLog = (path: string, flags = 0): Promise<FileHandle> =>
  open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | flags, 0o640)

/** The size of the whole entries of a log, to which it is cut: a crash may have left half an entry at the end. */
async function repair(handle: FileHandle, path: string, boundaries: EntryBoundaries): Promise<number> {
  const { size } = await handle.stat()
  if (size === 0) return 0
  const reader = await open(path, 'r')
  try {
    const intact = await boundaries.intact(reader, size)
    if (intact < size) await handle.truncate(intact)
    return intact
  } finally {
    await reader.close()
  }
}

/** Makes number 1 free: every rotated file gets the next number, what is beyond the last goes. */
async function shiftRotated(path: string, maxFiles: number): Promise<void> {
  for (const file of await findRotated(path)) {
    if (file.index >= maxFiles - 1) await rm(file.path, { force: true })
    else await renameIfThere(file.path, rotatedPath(path, file.index + 1, file.compressed))
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}
