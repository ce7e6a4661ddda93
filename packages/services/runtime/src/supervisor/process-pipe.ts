import { closeSync, writeSync } from 'node:fs'
import { pipe } from '@berth/linux'

/** A pipe by which an OCI runtime is given the process to run, at once or when it has been waiting for it. */
export class ProcessPipe implements Disposable {
  readonly readFd: number
  readonly #writeFd: number
  #open: number[]

  constructor() {
    const [read, write] = pipe()
    this.readFd = read
    this.#writeFd = write
    this.#open = [read, write]
  }

  /** The runtime has its own copy of the reading end. */
  closeReadEnd(): void {
    this.#close(this.readFd)
  }

  /** Gives the process, of `maxProcessBytes` at most. A runtime that is gone has ended with a reason of its own. */
  give(process: string): void {
    try {
      writeSync(this.#writeFd, process)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
    }
    this.#close(this.#writeFd)
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open) this.#close(fd)
  }

  #close(fd: number): void {
    if (!this.#open.includes(fd)) return
    this.#open = this.#open.filter((open) => open !== fd)
    closeSync(fd)
  }
}
