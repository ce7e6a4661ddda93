import { type FileHandle, open, rm } from 'node:fs/promises'
import type { BlobSource } from '../http/blob-source.ts'

/** A blob on its way in, read by everybody who waits for it. The last byte is shown only once all of it is verified. */
export class GrowingBlob {
  readonly path: string
  readonly sizeBytes: number
  #file: FileHandle
  #readers = 0
  #written = 0
  #state: 'coming' | 'whole' | 'failed' = 'coming'
  #failure: unknown
  #change = Promise.withResolvers<void>()

  private constructor(path: string, sizeBytes: number, file: FileHandle) {
    this.path = path
    this.sizeBytes = sizeBytes
    this.#file = file
  }

  static async create(path: string, sizeBytes: number): Promise<GrowingBlob> {
    return new GrowingBlob(path, sizeBytes, await open(path, 'wx+', 0o600))
  }

  get written(): number {
    return this.#written
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const rest = bytes.subarray(done)
      done += (await this.#file.write(rest, 0, rest.length, this.#written + done)).bytesWritten
    }
    this.#written += bytes.length
    this.#announce()
  }

  sync(): Promise<void> {
    return this.#file.datasync()
  }

  /** It is verified; from now on all of it is to be had. */
  async finish(): Promise<void> {
    this.#state = 'whole'
    this.#announce()
    await this.#closeIfDone()
  }

  /** Every reader is told; nothing of it stays. */
  async fail(error: unknown): Promise<void> {
    this.#state = 'failed'
    this.#failure = error
    this.#announce()
    await rm(this.path, { force: true })
    await this.#closeIfDone()
  }

  reader(): BlobSource {
    this.#readers++
    return {
      sizeBytes: this.sizeBytes,
      read: (buffer, position) => this.#read(buffer, position),
      [Symbol.asyncDispose]: async () => {
        this.#readers--
        await this.#closeIfDone()
      },
    }
  }

  async #read(buffer: Uint8Array, position: number): Promise<number> {
    while (this.#state === 'coming' && this.#shown() <= position) await this.#change.promise
    if (this.#state === 'failed') throw this.#failure
    const length = Math.min(buffer.length, this.#shown() - position)
    return (await this.#file.read(buffer, 0, length, position)).bytesRead
  }

  #shown(): number {
    return this.#state === 'whole' ? this.sizeBytes : Math.min(this.#written, this.sizeBytes - 1)
  }

  #announce(): void {
    this.#change.resolve()
    this.#change = Promise.withResolvers()
  }

  async #closeIfDone(): Promise<void> {
    if (this.#state !== 'coming' && this.#readers === 0) await this.#file.close()
  }
}
