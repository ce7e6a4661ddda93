import type { SocketStream, SocketTarget } from '@berth/base'
import { duplicate } from '@berth/linux'
import { closeSync } from 'node:fs'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Job, StreamHandle } from './thread.ts'

/** Chunks of 256 KiB that may be under way to a reader. */
const window = 8

/** What a worker yields. It is read here, or the worker writes it to a socket. */
export class WorkerStream extends Readable implements SocketStream {
  readonly #handle: StreamHandle
  /** Chunks that the worker may send once there is room. */
  #owed = window
  /** Where the worker writes, by a descriptor that stays open until it has answered. */
  #target: (SocketTarget & { readonly copy: number }) | undefined

  constructor(begin: (job: Job) => StreamHandle) {
    super({ highWaterMark: 1 << 20 })
    this.#handle = begin({
      onChunk: (chunk) => this.#onChunk(chunk),
      onReady: () => this.#onReady(),
      resolve: () => {
        this.#closeCopy()
        this.push(null)
      },
      reject: (error) => {
        this.#closeCopy()
        this.destroy(error)
      },
    })
  }

  async writeTo(target: SocketTarget): Promise<void> {
    if (!this.destroyed) {
      this.#target = { ...target, copy: duplicate(target.fd) }
      this.#handle.redirect(this.#target.copy)
    }
    await finished(this.resume())
  }

  override _read(): void {
    if (this.#target) return
    if (this.#owed > 0) this.#handle.grant(this.#owed)
    this.#owed = 0
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#handle.cancel()
    done(error)
  }

  #onReady(): void {
    this.#target?.begin().then(
      () => this.#handle.grant(1),
      (error: Error) => this.destroy(error),
    )
  }

  #closeCopy(): void {
    if (this.#target) closeSync(this.#target.copy)
  }

  #onChunk(chunk: Uint8Array): void {
    if (this.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))) this.#handle.grant(1)
    else this.#owed++
  }
}
