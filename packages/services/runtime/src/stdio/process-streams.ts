import { closeSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { type ConsoleSocket, listenConsole, pipe, PtyStream, setWindowSize } from '@berth/linux'
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

/** Both ends, while the process is being started. */
export interface StreamPair {
  /** The descriptors 0, 1 and 2 for the OCI runtime. */
  readonly childFds: readonly number[]
  /** For a terminal: where the runtime sends its master. */
  readonly consolePath?: string
  /** Our ends. For a terminal it waits for the master; abort when the runtime failed. */
  streams(signal: AbortSignal): Promise<ProcessStreams>
  /** The runtime has been started with the child's ends: ours of them are closed. */
  closeChildEnds(): void
  /** The runtime was not started or refused: everything is closed. */
  close(): void
}

let devNull: number | undefined
const nullFd = (): number => (devNull ??= openSync('/dev/null', 'r+'))

/** pipe(2)s, not socket pairs: `echo > /dev/stdout` inside must be able to open them. */
export function openPipes(openStdin: boolean): StreamPair {
  const [stdoutRead, stdoutWrite] = pipe()
  const [stderrRead, stderrWrite] = pipe()
  const [stdinRead, stdinWrite] = openStdin ? pipe() : [undefined, undefined]
  const outputs = [pipeSource(1, stdoutRead), pipeSource(2, stderrRead)]
  const stdin = stdinWrite === undefined ? undefined : writePipe(stdinWrite)
  const close = () => {
    for (const output of outputs) output.close()
    stdin?.destroy()
  }
  const childEnds = new Set([stdinRead, stdoutWrite, stderrWrite].filter((fd) => fd !== undefined))
  const closeChildEnds = () => {
    for (const fd of childEnds) closeSync(fd)
    childEnds.clear()
  }
  return {
    childFds: [stdinRead ?? nullFd(), stdoutWrite, stderrWrite],
    streams: () => Promise.resolve({ outputs, stdin, close }),
    closeChildEnds,
    close: () => {
      closeChildEnds()
      close()
    },
  }
}

/** A terminal, whose master comes through a console socket at `path`. */
export function openConsole(path: string, size?: ConsoleSize): StreamPair {
  const socket = listenConsole(path)
  return {
    childFds: [nullFd(), nullFd(), nullFd()],
    consolePath: path,
    streams: (signal) => receiveTerminal(socket, size, signal),
    closeChildEnds() {},
    close() {},
  }
}

async function receiveTerminal(
  socket: ConsoleSocket,
  size: ConsoleSize | undefined,
  signal: AbortSignal,
): Promise<ProcessStreams> {
  const master = await receiveMaster(socket, signal)
  const terminal = new PtyStream(master)
  terminal.on('error', () => {})
  const resize = (wanted: ConsoleSize) => {
    if (!terminal.destroyed) setWindowSize(master, wanted)
  }
  if (size) resize(size)
  return { outputs: [streamSource(1, terminal)], stdin: terminal, resize, close: () => terminal.destroy() }
}

async function receiveMaster(socket: ConsoleSocket, signal: AbortSignal): Promise<number> {
  using listening = socket
  return await listening.receive(signal)
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
