import type { Channel } from './channel.ts'
import { Inbox } from './inbox.ts'

/** Bun.connect as far as it is used here: https://bun.com/docs/api/tcp */
interface BunApi {
  connect(options: { unix: string; socket: BunHandlers }): Promise<unknown>
}
interface BunSocket {
  /** The bytes that were taken; `drain` tells when more can be. -1 when it is closed. */
  write(data: Uint8Array): number
  pause(): void
  resume(): void
  terminate(): void
}
interface BunHandlers {
  open(socket: BunSocket): void
  data(socket: BunSocket, chunk: Uint8Array): void
  drain(socket: BunSocket): void
  end(socket: BunSocket): void
  close(socket: BunSocket, error?: Error): void
  error(socket: BunSocket, error: Error): void
  connectError(socket: BunSocket, error: Error): void
}

const bunApi = (): BunApi | undefined => (globalThis as { Bun?: BunApi }).Bun

/** Whether connections to unix sockets can do without `node:net`: loading that takes Bun as long as all else of `ps`. */
export const hasBunChannels = (): boolean => bunApi() !== undefined

/** Connects to a unix socket by Bun itself. Rejects with the error of the system. */
export async function openBunChannel(path: string): Promise<Channel> {
  const { promise, resolve, reject } = Promise.withResolvers<Channel>()
  let channel: BunChannel | undefined
  const socket: BunHandlers = {
    open: (opened) => resolve((channel = new BunChannel(opened))),
    data: (_socket, chunk) => channel?.receive(chunk),
    drain: () => channel?.drain(),
    end: () => channel?.finish(),
    close: (_socket, error) => channel?.finish(error),
    error: (_socket, error) => channel?.finish(error),
    connectError: (_socket, error) => reject(error),
  }
  // What fails is told of by both ways.
  bunApi()?.connect({ unix: path, socket }).catch(reject)
  return promise
}

class BunChannel implements Channel {
  readonly closedHint = ''
  readonly #socket: BunSocket
  readonly #inbox: Inbox
  #drained = Promise.withResolvers<void>()
  #isClosed = false

  constructor(socket: BunSocket) {
    this.#socket = socket
    this.#inbox = new Inbox({
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      destroy: () => socket.terminate(),
    })
  }

  read(): Promise<Buffer | undefined> {
    return this.#inbox.read()
  }

  unread(chunk: Buffer): void {
    this.#inbox.unread(chunk)
  }

  async write(data: Uint8Array | string): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    for (let at = 0; at < bytes.length;) {
      const { promise } = this.#drained
      const taken = this.#socket.write(bytes.subarray(at))
      // What is wrong with it, reads tell.
      if (taken < 0 || this.#isClosed) return
      at += taken
      if (at < bytes.length) await promise
    }
  }

  get usable(): boolean {
    return this.#inbox.isQuiet
  }

  breakOn(signal: AbortSignal | undefined): void {
    this.#inbox.breakOn(signal)
  }

  destroy(): void {
    this.breakOn(undefined)
    this.#socket.terminate()
  }

  receive(chunk: Uint8Array): void {
    // Bun reuses the memory that it reads into.
    this.#inbox.push(Buffer.from(chunk))
  }

  drain(): void {
    this.#drained.resolve()
    this.#drained = Promise.withResolvers()
  }

  finish(error?: Error): void {
    this.#isClosed = true
    this.#inbox.finish(error)
    this.drain()
  }
}
