import { type BigIntStats, closeSync, fstatSync, openSync, read } from 'node:fs'
import { promisify } from 'node:util'

const readAsync = promisify(read)

/**
 * A file open for reading. Reads may have to wait for a disk; to open it, look at it and close it takes microseconds, a
 * fraction of what a turn through the thread pool does, of which the tail of a log would need nine.
 */
export class OpenFile {
  #fd: number

  /** Throws ENOENT when there is none. */
  constructor(path: string) {
    this.#fd = openSync(path, 'r')
  }

  get sizeBytes(): number {
    return fstatSync(this.#fd).size
  }

  status(): BigIntStats {
    return fstatSync(this.#fd, { bigint: true })
  }

  /** Resolves with the number of bytes read, 0 at the end. */
  async read(buffer: Buffer, position: number): Promise<number> {
    const { bytesRead } = await readAsync(this.#fd, buffer, 0, buffer.length, position)
    return bytesRead
  }

  /** Idempotent. */
  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd)
    this.#fd = -1
  }
}
