/** Where entries go, one call at a time. */
export interface EntrySink {
  append(entries: Buffer): Promise<void>
  close(): Promise<void>
}

/** So many bytes may wait; then whoever produces them has to. */
const fullBytes = 1 << 20

const blockBytes = 256 * 1024

/** Blocks that are used again, by whichever log comes next. */
const spare: Buffer[] = []
const maxSpare = 4

interface Block {
  readonly bytes: Buffer
  length: number
}

/**
 * Entries on their way to a file. Putting them in never waits for the disk: a file that makes no progress holds up those
 * who write to it, and nobody else.
 */
export class LogQueue {
  readonly #sink: EntrySink
  readonly #onRoom: () => void
  readonly #dropsBeyondBytes: number | undefined
  #blocks: Block[] = []
  #bytes = 0
  #writing: Promise<void> | undefined
  #closing: Promise<void> | undefined

  /**
   * `onRoom` is called when a full queue is no longer full. With `dropsBeyondBytes` it is never full: what comes while
   * so much waits is dropped.
   */
  constructor(sink: EntrySink, onRoom: () => void, dropsBeyondBytes?: number) {
    this.#sink = sink
    this.#onRoom = onRoom
    this.#dropsBeyondBytes = dropsBeyondBytes
  }

  /** Whether producers should pause; what is put in nevertheless is kept. */
  get isFull(): boolean {
    return this.#dropsBeyondBytes === undefined && this.#bytes >= fullBytes
  }

  /** Takes a copy of whole entries. */
  push(entries: Buffer): void {
    if (entries.length === 0 || this.#closing || this.#dropsNow(entries.length)) return
    const block = this.#blockFor(entries.length)
    entries.copy(block.bytes, block.length)
    block.length += entries.length
    this.#bytes += entries.length
    this.#writing ??= this.#write()
  }

  /** Never when nothing waits: even entries that are larger than all room are taken then. */
  #dropsNow(length: number): boolean {
    if (this.#dropsBeyondBytes === undefined || this.#bytes === 0) return false
    return this.#bytes + length > this.#dropsBeyondBytes
  }

  /** Resolves when what has been put in is written, or dropped. */
  async flush(): Promise<void> {
    await this.#writing
  }

  /** Resolves when everything is written and the file closed. */
  close(): Promise<void> {
    this.#closing ??= this.#finish()
    return this.#closing
  }

  /** The last block while it has room. What comes while nothing else waits gets one of its own size. */
  #blockFor(length: number): Block {
    const last = this.#blocks.at(-1)
    if (last && last.length + length <= last.bytes.length) return last
    const bytes = this.#writing ? largeBlock(length) : Buffer.allocUnsafe(length)
    const block = { bytes, length: 0 }
    this.#blocks.push(block)
    return block
  }

  async #write(): Promise<void> {
    // Not before what is put in by this turn of the loop is together.
    await undefined
    for (let block = this.#blocks.shift(); block; block = this.#blocks.shift()) {
      await this.#sink.append(block.bytes.subarray(0, block.length))
      const wasFull = this.isFull
      this.#bytes -= block.length
      giveBack(block.bytes)
      if (wasFull && !this.isFull) this.#onRoom()
    }
    this.#writing = undefined
  }

  async #finish(): Promise<void> {
    await this.#writing
    await this.#sink.close()
  }
}

const largeBlock = (length: number): Buffer =>
  length > blockBytes ? Buffer.allocUnsafeSlow(length) : (spare.pop() ?? Buffer.allocUnsafeSlow(blockBytes))

function giveBack(bytes: Buffer): void {
  if (bytes.length === blockBytes && spare.length < maxSpare) spare.push(bytes)
}
