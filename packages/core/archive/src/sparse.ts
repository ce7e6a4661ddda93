import { invalid } from '@berth/base'
import type { Extent } from './entry.ts'
import { readNumber } from './header-fields.ts'

/**
 * Collects and checks the map of a sparse file: ascending, not overlapping, inside the file, no more than `maxExtents`
 * (GNU tar manual, "Storing Sparse Files").
 */
export class SparseMap {
  readonly extents: Extent[] = []
  /** Bytes of data that the archive holds for the file. */
  dataBytes = 0
  readonly #maxExtents: number

  constructor(maxExtents: number) {
    this.#maxExtents = maxExtents
  }

  add(offset: number, sizeBytes: number): void {
    const last = this.extents.at(-1)
    if (last && offset < last.offset + last.sizeBytes) throw invalid('sparse map is not in ascending order')
    if (!Number.isSafeInteger(offset + sizeBytes)) throw invalid('sparse map is out of range')
    if (this.extents.length >= this.#maxExtents) throw invalid(`sparse map has more than ${this.#maxExtents} extents`)
    this.extents.push({ offset, sizeBytes })
    this.dataBytes += sizeBytes
  }

  /** Checks the finished map against the file's logical and the archive's stored size. */
  finish(logicalBytes: number, storedBytes: number): readonly Extent[] {
    const last = this.extents.at(-1)
    if (last && last.offset + last.sizeBytes > logicalBytes) throw invalid('sparse map exceeds the size of the file')
    if (this.dataBytes !== storedBytes) {
      throw invalid(`sparse map describes ${this.dataBytes} bytes where the archive holds ${storedBytes}`)
    }
    return this.extents.filter((extent) => extent.sizeBytes > 0)
  }
}

/** Adds the `count` (offset, size) pairs of an old GNU header or extension block that begin at `start`. */
export function addOldGnuPairs(map: SparseMap, block: Buffer, start: number, count: number): void {
  for (let index = 0; index < count; index++) {
    const at = start + index * 24
    if (block[at] === 0) return
    map.add(readNumber(block, at, 12, 'sparse offset'), readNumber(block, at + 12, 12, 'sparse size'))
  }
}

/** Adds the pairs of `GNU.sparse.map` (format 0.1): decimal numbers with commas between. */
export function addCommaPairs(map: SparseMap, text: string): void {
  const numbers = text === '' ? [] : text.split(',')
  if (numbers.length % 2 !== 0) throw invalid('GNU.sparse.map has an odd count of numbers')
  for (let index = 0; index < numbers.length; index += 2) {
    map.add(decimal(numbers[index] ?? ''), decimal(numbers[index + 1] ?? ''))
  }
}

/** Reads format 1.0's map, lines of decimal numbers before the data, as blocks arrive. */
export class SparseMapReader {
  readonly #map: SparseMap
  #text = ''
  #expected: number | undefined
  #pending: number | undefined

  constructor(map: SparseMap) {
    this.#map = map
  }

  /** Takes one block; true when the map is complete (the rest of the block is padding). */
  push(block: Buffer): boolean {
    this.#text += block.toString('latin1', 0, 512)
    for (;;) {
      if (this.#expected === 0) return true
      const newline = this.#text.indexOf('\n')
      if (newline < 0 && this.#text.length > 32) throw invalid('sparse map is malformed')
      if (newline < 0) return false
      this.#number(decimal(this.#text.slice(0, newline)))
      this.#text = this.#text.slice(newline + 1)
    }
  }

  #number(value: number): void {
    if (this.#expected === undefined) {
      this.#expected = value * 2
      return
    }
    this.#expected--
    if (this.#pending === undefined) {
      this.#pending = value
      return
    }
    this.#map.add(this.#pending, value)
    this.#pending = undefined
  }
}

function decimal(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw invalid(`sparse map holds ${JSON.stringify(text.slice(0, 40))}, not a number`)
  return value
}
