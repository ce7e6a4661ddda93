import { closeSync, readSync, writeSync } from 'node:fs'
import { Duplex } from 'node:stream'
import { codeOf } from '@berth/base'
import { type Poll, pollFd, setNonBlocking } from '../process/descriptors.ts'

const chunkBytes = 65536
// Chunks taken in one turn of the loop: enough for throughput, few enough to let others in.
const chunksPerTurn = 16

interface PendingWrite {
  chunk: Buffer
  readonly done: (error?: Error | null) => void
}

/**
 * A pty master as a stream; owns the descriptor. Ends when the last slave is closed (EIO).
 * tty.ReadStream would block the event loop on a full terminal, fs streams would hold pool threads.
 */
export class PtyStream extends Duplex {
  readonly fd: number
  readonly #scratch = Buffer.allocUnsafeSlow(chunkBytes)
  #poll: Poll | undefined
  #armed = ''
  #wantsRead = false
  #write: PendingWrite | undefined

  constructor(fd: number) {
    super({ allowHalfOpen: true, highWaterMark: chunkBytes })
    this.fd = fd
    setNonBlocking(fd)
  }

  override _read(): void {
    this.#wantsRead = true
    this.#arm()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#write = { chunk, done }
    this.#flush()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#poll?.close()
    this.#poll = undefined
    closeSync(this.fd)
    const write = this.#write
    this.#write = undefined
    write?.done(error)
    done(error)
  }

  /** Watches for what is wanted now, and for nothing else. */
  #arm(): void {
    const writable = this.#write !== undefined
    const wanted = this.destroyed ? '' : `${this.#wantsRead ? 'r' : ''}${writable ? 'w' : ''}`
    if (wanted === this.#armed) return
    this.#armed = wanted
    this.#poll?.close()
    this.#poll = wanted ? pollFd(this.fd, { readable: this.#wantsRead, writable }, () => this.#ready()) : undefined
  }

  #ready(): void {
    if (this.#write) this.#flush()
    if (!this.#wantsRead || this.destroyed) return
    try {
      this.#pull()
    } catch (error) {
      this.destroy(error as Error)
    }
  }

  #pull(): void {
    for (let chunk = 0; chunk < chunksPerTurn; chunk++) {
      const length = readMaster(this.fd, this.#scratch)
      if (length === undefined) return
      if (length > 0 && this.push(Buffer.from(this.#scratch.subarray(0, length)))) continue
      this.#wantsRead = false
      if (length === 0) this.push(null)
      return this.#arm()
    }
  }

  #flush(): void {
    const write = this.#write
    if (!write) return
    const error = writeMaster(this.fd, write)
    if (error === 'again') return this.#arm()
    this.#write = undefined
    this.#arm()
    write.done(error)
  }
}

/** The bytes read; undefined: none yet; 0: the end, which a pty master tells by EIO. */
function readMaster(fd: number, into: Buffer): number | undefined {
  try {
    return readSync(fd, into, 0, into.length, null)
  } catch (error) {
    if (codeOf(error) === 'EAGAIN') return undefined
    if (codeOf(error) === 'EIO') return 0
    throw error
  }
}

function writeMaster(fd: number, write: PendingWrite): Error | 'again' | null {
  try {
    while (write.chunk.length > 0) write.chunk = write.chunk.subarray(writeSync(fd, write.chunk))
    return null
  } catch (error) {
    return codeOf(error) === 'EAGAIN' ? 'again' : (error as Error)
  }
}
