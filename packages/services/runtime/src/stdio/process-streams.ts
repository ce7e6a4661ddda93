import { closeSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { listenConsole, pipe, PtyStream, setWindowSize } from '@berth/linux'
import type { ConsoleSize } from '../runtime.ts'

/** 1 is stdout (also a terminal's output), 2 is stderr: the numbers of Docker's stream frames. */
export type OutputStream = 1 | 2

/** One output of a process. Chunks are valid during the call only: they share a buffer. */
export interface OutputSource {
  readonly stream: OutputStream
  start(onChunk: (chunk: Buffer) => void, onEnd: () => void): void
  pause(): void
  resume(): void
  close(): void
}

/** Our ends of a process's standard streams. */
export interface ProcessStreams {
  readonly outputs: readonly OutputSource[]
  readonly stdin?: Writable
  /** Terminals only. */
  readonly resize?: (size: ConsoleSize) => void
  close(): void
}

/** Both ends, while the process is being started. Disposing closes what `streams` has not handed over. */
export interface StreamPair extends Disposable {
  /** The descriptors 0, 1 and 2 for the OCI runtime. */
  readonly childFds: readonly number[]
  /** The runtime has been started with the child's ends: ours of them are closed. */
  closeChildEnds(): void
  /** Sets a terminal's size, at once or as soon as it is there. */
  resize(size: ConsoleSize): void
  /** Our ends, from the caller's hands on, once the runtime has done its work; for a terminal, which it has sent by then. */
  streams(signal: AbortSignal): Promise<ProcessStreams>
}

let devNull: number | undefined
const nullFd = (): number => (devNull ??= openSync('/dev/null', 'r+'))

/** pipe(2)s, not socket pairs: `echo > /dev/stdout` inside must be able to open them. */
export function openPipes(openStdin: boolean): StreamPair {
  const [stdoutRead, stdoutWrite] = pipe()
  const [stderrRead, stderrWrite] = pipe()
  const [stdinRead, stdinWrite] = openStdin ? pipe() : []
  const childEnds = new DescriptorSet([stdinRead, stdoutWrite, stderrWrite])
  const ourEnds = new DescriptorSet([stdinWrite, stdoutRead, stderrRead])
  return {
    childFds: [stdinRead ?? nullFd(), stdoutWrite, stderrWrite],
    closeChildEnds: () => childEnds.close(),
    resize() {},
    streams: () => {
      ourEnds.release()
      return Promise.resolve(pipeStreams(stdoutRead, stderrRead, stdinWrite))
    },
    [Symbol.dispose]: () => {
      childEnds.close()
      ourEnds.close()
    },
  }
}

/** Open descriptors, closed together or given away. */
class DescriptorSet {
  #fds: number[]

  constructor(fds: readonly (number | undefined)[]) {
    this.#fds = fds.filter((fd) => fd !== undefined)
  }

  close(): void {
    for (const fd of this.#fds) closeSync(fd)
    this.#fds = []
  }

  release(): void {
    this.#fds = []
  }
}

function pipeStreams(stdout: number, stderr: number, stdinFd: number | undefined): ProcessStreams {
  const outputs = [pipeSource(1, stdout), pipeSource(2, stderr)]
  const stdin = stdinFd === undefined ? undefined : writePipe(stdinFd)
  const close = () => {
    for (const output of outputs) output.close()
    stdin?.destroy()
  }
  return { outputs, stdin, close }
}

/** A terminal, whose master comes through a console socket at `path`. */
export function openConsole(path: string): StreamPair {
  const socket = listenConsole(path)
  const closing = new AbortController()
  const arrival = new TerminalArrival(socket.receive(closing.signal))
  return {
    childFds: [nullFd(), nullFd(), nullFd()],
    closeChildEnds() {},
    resize: (size) => arrival.resize(size),
    streams: async (signal) => terminalStreams(await arrival.take(signal)),
    [Symbol.dispose]: () => {
      closing.abort()
      socket[Symbol.dispose]()
      arrival.close()
    },
  }
}

/** A pty master on its way to us. Its size is set when it comes: its process may run before the runtime has ended. */
class TerminalArrival {
  readonly #master: Promise<number>
  #fd: number | undefined
  #size: ConsoleSize | undefined
  #isTaken = false

  constructor(receiving: Promise<number>) {
    this.#master = receiving.then((fd) => {
      this.#fd = fd
      if (this.#size) setWindowSize(fd, this.#size)
      return fd
    })
    this.#master.catch(() => {})
  }

  resize(size: ConsoleSize): void {
    this.#size = size
    if (this.#fd !== undefined) setWindowSize(this.#fd, size)
  }

  /** The descriptor, from then on the caller's. */
  async take(signal: AbortSignal): Promise<number> {
    const { promise, reject } = Promise.withResolvers<never>()
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    const fd = await Promise.race([this.#master, promise])
    this.#isTaken = true
    return fd
  }

  close(): void {
    if (this.#fd !== undefined && !this.#isTaken) closeSync(this.#fd)
  }
}

function terminalStreams(master: number): ProcessStreams {
  const terminal = new PtyStream(master)
  terminal.on('error', () => {})
  const resize = (wanted: ConsoleSize) => {
    if (!terminal.destroyed) setWindowSize(master, wanted)
  }
  return { outputs: [streamSource(1, terminal)], stdin: terminal, resize, close: () => terminal.destroy() }
}

// Every pipe reads into the same buffer: whoever keeps bytes copies them before the next read.
let shared: Buffer | undefined

function pipeSource(stream: OutputStream, fd: number): OutputSource {
  let onChunk: ((chunk: Buffer) => void) | undefined
  shared ??= Buffer.allocUnsafeSlow(64 * 1024)
  const socket = new Socket({
    fd,
    readable: true,
    writable: false,
    // Typed for connect() only, though the constructor takes it too (node:net, "onread").
    ...({ onread: { buffer: shared, callback: deliver } } as object),
  })
  function deliver(length: number, buffer: Uint8Array): boolean {
    onChunk?.((buffer as Buffer).subarray(0, length))
    return true
  }
  socket.on('error', () => socket.destroy())
  return {
    stream,
    start: (chunk, end) => {
      onChunk = chunk
      socket.once('close', end)
      socket.resume()
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => void socket.destroy(),
  }
}

function streamSource(stream: OutputStream, readable: Readable): OutputSource {
  return {
    stream,
    start: (onChunk, onEnd) => {
      readable.on('data', onChunk)
      let ended = false
      const end = () => {
        if (!ended) onEnd()
        ended = true
      }
      readable.once('end', end)
      readable.once('close', end)
    },
    pause: () => void readable.pause(),
    resume: () => void readable.resume(),
    close: () => void readable.destroy(),
  }
}

function writePipe(fd: number): Socket {
  const socket = new Socket({ fd, readable: false, writable: true })
  // EPIPE: the process has closed its stdin.
  socket.on('error', () => socket.destroy())
  return socket
}
