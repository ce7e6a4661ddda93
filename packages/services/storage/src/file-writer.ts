import type { FileHandle } from 'node:fs/promises'

/** Chunks are written together up to about so much: a thread of the pool has something to do for its wake-up. */
const batchBytes = 512 << 10

/**
 * Writes chunks to a file in order, some together, while its caller goes on. Chunks are the writer's until `flush()`. An
 * error is told by whichever call comes next.
 */
export class FileWriter {
  readonly #file: FileHandle
  #batch: Uint8Array[] = []
  #bytes = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(file: FileHandle) {
    this.#file = file
  }

  /** Resolves when there is room for the next. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#batch.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes >= batchBytes) await this.#begin()
  }

  /** Resolves when all is written. */
  async flush(): Promise<void> {
    if (this.#bytes > 0) await this.#begin()
    await this.#writing
  }

  /** One batch is written at a time, and one gathered. */
  async #begin(): Promise<void> {
    const batch = this.#batch
    this.#batch = []
    this.#bytes = 0
    await this.#writing
    this.#writing = writeAll(this.#file, batch)
    this.#writing.catch(() => {})
  }
}

async function writeAll(file: FileHandle, batch: Uint8Array[]): Promise<void> {
  for (let left = batch; left.length > 0;) left = without(left, (await file.writev(left)).bytesWritten)
}

/** What is left of chunks after their first `bytes`. */
function without(chunks: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skipped = bytes
  return chunks.flatMap((chunk) => {
    const from = Math.min(skipped, chunk.length)
    skipped -= from
    return from < chunk.length ? [chunk.subarray(from)] : []
  })
}
