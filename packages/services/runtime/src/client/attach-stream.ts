import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { AttachOptions } from '../runtime.ts'
import { encodeLine, LineDecoder } from '../protocol/lines.ts'
import { type ProcessTarget, protocolVersion } from '../protocol/messages.ts'
import { encodeStdinHead, endOfStdin, maxFrameBytes } from '../protocol/stdin-frames.ts'
import { connected, firstMessage } from './control-link.ts'

export interface AttachRequest {
  readonly path: string
  readonly target: ProcessTarget
  readonly options: AttachOptions
  /** Awaited between the last output and the stream's end. */
  readonly beforeEnd: () => Promise<void>
  /** A request in the protocol's words, which the supervisor serves once the client is attached. */
  readonly request?: object
}

/** An attach connection as a stream. Resolves once the supervisor has accepted it: no output is missed from then on. */
export async function openAttachStream({ path, beforeEnd, ...hello }: AttachRequest): Promise<Duplex> {
  const socket = await connected(path)
  socket.write(encodeLine({ role: 'attach', protocol: protocolVersion, ...hello }))
  const { rest } = await firstMessage(socket, new LineDecoder())
  return new AttachStream(socket, rest, beforeEnd)
}

/** Written bytes become input frames; `end` says that the input has ended; `destroy` only leaves. */
class AttachStream extends Duplex {
  readonly #socket: Socket

  constructor(socket: Socket, rest: Buffer, beforeEnd: () => Promise<void>) {
    super({ allowHalfOpen: true, autoDestroy: true })
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause()
    })
    socket.once('close', () => {
      beforeEnd().then(
        () => this.push(null),
        (error: Error) => this.destroy(error),
      )
    })
    if (rest.length > 0) this.push(rest)
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    // The process has ended, or we were cut off: its input goes nowhere, as with a closed pipe that nobody minds.
    if (this.#socket.destroyed) return done()
    this.#socket.cork()
    let rest = chunk
    for (; rest.length > maxFrameBytes; rest = rest.subarray(maxFrameBytes)) {
      this.#send(rest.subarray(0, maxFrameBytes))
    }
    this.#send(rest, () => done())
    this.#socket.uncork()
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#socket.destroyed) done()
    else this.#socket.write(endOfStdin(), () => done())
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }

  #send(bytes: Buffer, done?: () => void): void {
    if (bytes.length === 0) return done?.()
    this.#socket.write(encodeStdinHead(bytes.length))
    this.#socket.write(bytes, done)
  }
}
