import type { Socket } from 'node:net'
import type { AttachOptions } from '../runtime.ts'
import { ProtocolError } from '../protocol/lines.ts'
import { StdinDecoder } from '../protocol/stdin-frames.ts'
import { Outlet } from './outlet.ts'

/** Where a client's input goes. */
export interface InputSink {
  /** False: no more for now; `Client.resumeInput` is called later. */
  write(bytes: Buffer): boolean
  /** The client said that its input has ended. */
  end(): void
}

const waitingBytes = 64 * 1024

/**
 * One attach connection. Until it is connected to a process it waits, holding at most 64 KiB of input (and as much again
 * in the socket).
 */
export class Client {
  readonly options: AttachOptions
  readonly #socket: Socket
  readonly #decoder: StdinDecoder
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #endWaits = false
  #sink: InputSink | undefined
  outlet: Outlet | undefined

  constructor(socket: Socket, options: AttachOptions) {
    this.options = options
    this.#socket = socket
    this.#decoder = new StdinDecoder(
      (bytes) => this.#onInput(bytes),
      () => this.#onInputEnd(),
    )
    // A client that leaves is an everyday event, whichever error it leaves by.
    socket.on('error', () => socket.destroy())
    socket.on('end', () => socket.destroy())
  }

  /** `rest` came with the first line of the connection. */
  listen(rest: Buffer): void {
    this.#socket.on('data', (chunk: Buffer) => this.#decode(chunk))
    if (rest.length > 0) this.#decode(rest)
    this.#socket.resume()
  }

  onClose(listener: () => void): void {
    if (this.#socket.destroyed) listener()
    else this.#socket.once('close', listener)
  }

  /** Output may be sent from now on; `onRoom` tells when a full client has room again. */
  connectOutput(limitBytes: number, onRoom: () => void): Outlet {
    this.outlet = new Outlet(this.#socket, limitBytes, onRoom)
    return this.outlet
  }

  /** Input flows into `sink` from now on, first what had been waiting. */
  connectInput(sink: InputSink): void {
    this.#sink = sink
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    const wantsMore = waiting.map((bytes) => sink.write(bytes)).every(Boolean)
    if (this.#endWaits) sink.end()
    if (wantsMore) this.#socket.resume()
    else this.#socket.pause()
  }

  resumeInput(): void {
    if (!this.#socket.destroyed) this.#socket.resume()
  }

  /** Ends the client's stream after what it has still to read. */
  finish(): void {
    if (this.outlet) this.outlet.end()
    else this.#socket.end()
  }

  /** Cuts the client off, whatever it has not read. */
  drop(): void {
    this.#socket.destroy()
  }

  #decode(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.drop()
    }
  }

  #onInput(bytes: Buffer): void {
    if (!this.options.stdin) return
    if (this.#sink) {
      if (!this.#sink.write(bytes)) this.#socket.pause()
      return
    }
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
    if (this.#waitingBytes >= waitingBytes) this.#socket.pause()
  }

  #onInputEnd(): void {
    if (!this.options.stdin) return
    if (this.#sink) this.#sink.end()
    else this.#endWaits = true
  }
}
