import { settlesWithin } from '@berth/base'
import type { Writable } from 'node:stream'
import type { ConsoleSize } from '../runtime.ts'
import type { LogWriter } from '../logs/log-writer.ts'
import type { Client, InputSink } from './client.ts'
import { defaultOutletLimits, type OutletLimits } from './outlet.ts'
import type { OutputStream, ProcessStreams } from './process-streams.ts'

export interface RelayOptions {
  /** Raw output, and no end of input. */
  readonly tty: boolean
  /** The end of a client's input is the end of the process's. */
  readonly closesStdin: boolean
  /** Where all output goes besides the clients. */
  readonly log?: LogWriter
  readonly limits?: OutletLimits
  /** What to say instead of the first output, where that is the OCI runtime's word that the program does not run. */
  readonly explain?: (output: Buffer) => Buffer | undefined
}

export interface DrainLimits {
  readonly timeoutMs: number
  readonly logTimeoutMs: number
}

const stdinBytes = 64 * 1024

/**
 * Carries one process's output to its log and to its clients, and their input to the process.
 *
 * When a client's queue is full, the process's output is not read until the client has taken it, but for `stallMs`
 * without any progress at most: then that client is cut off. When input is not read by the process, its clients' sockets
 * are not read. When the log's disk does not keep up, the output is not read either.
 */
export class Relay {
  readonly #options: RelayOptions
  readonly #limits: OutletLimits
  readonly #clients = new Set<Client>()
  readonly #ended = Promise.withResolvers<void>()
  #streams: ProcessStreams | undefined
  #openOutputs = 0
  #hasSpoken = false
  #isExplained = false
  #paused = false
  #draining = false
  #finished = false
  #stall: NodeJS.Timeout | undefined

  constructor(options: RelayOptions) {
    this.#options = options
    this.#limits = options.limits ?? defaultOutletLimits
    options.log?.onRoom(() => this.#checkRoom())
  }

  /** Begins to carry. Called once. */
  start(streams: ProcessStreams): void {
    this.#streams = streams
    this.#openOutputs = streams.outputs.length
    streams.stdin?.on('drain', () => this.#resumeInput())
    for (const output of streams.outputs) {
      output.start(
        (chunk) => this.#carry(output.stream, chunk),
        () => this.#outputEnded(),
      )
    }
    for (const client of this.#clients) this.#connect(client)
  }

  add(client: Client): void {
    this.#clients.add(client)
    client.onClose(() => this.#remove(client))
    if (this.#finished) client.finish()
    else if (this.#streams) this.#connect(client)
  }

  resize(size: ConsoleSize): void {
    this.#streams?.resize?.(size)
  }

  /** The OCI runtime has said that the program does not run. */
  get isExplained(): boolean {
    return this.#isExplained
  }

  get hasTerminal(): boolean {
    return this.#options.tty
  }

  /**
   * The process has ended: reads what is left of its output, whoever is slow, for `timeoutMs` at most, since others may
   * hold the other ends. Resolves when the log is complete and closed, or its disk has stalled for `logTimeoutMs`; clients
   * still have to hear of it (`finish`).
   */
  async drain({ timeoutMs, logTimeoutMs }: DrainLimits): Promise<void> {
    this.#draining = true
    if (!this.#options.log?.isFull) this.#resumeOutput()
    await settlesWithin(this.#ended.promise, timeoutMs)
    await settlesWithin(this.close(), logTimeoutMs)
  }

  /** Closes our ends at once; resolves when the log is complete and closed, too. */
  async close(): Promise<void> {
    this.#streams?.close()
    await this.#options.log?.close()
  }

  /** Ends every client's stream after what it has still to read. */
  finish(): void {
    this.#finished = true
    for (const client of this.#clients) client.finish()
    this.#watchStall()
  }

  #connect(client: Client): void {
    client.connectOutput(this.#limits.queueBytes, () => this.#checkRoom())
    const stdin = this.#streams?.stdin
    client.connectInput(stdin ? this.#inputSink(stdin) : { write: () => true, end() {} })
  }

  #inputSink(stdin: Writable): InputSink {
    return {
      write: (bytes) => {
        if (!stdin.writable) return true
        stdin.write(Buffer.from(bytes))
        return stdin.writableLength < stdinBytes
      },
      end: () => {
        if (this.#options.closesStdin && !this.#options.tty) stdin.end()
      },
    }
  }

  #resumeInput(): void {
    for (const client of this.#clients) client.resumeInput()
  }

  #carry(stream: OutputStream, chunk: Buffer): void {
    const told = this.#explained(chunk) ?? chunk
    this.#options.log?.write(stream, told)
    this.#send(stream, told)
    if (this.#mustPause()) this.#pauseOutput()
  }

  #explained(chunk: Buffer): Buffer | undefined {
    if (this.#hasSpoken) return undefined
    this.#hasSpoken = true
    const explained = this.#options.explain?.(chunk)
    this.#isExplained = explained !== undefined
    return explained
  }

  #send(stream: OutputStream, chunk: Buffer): void {
    if (this.#clients.size === 0) return
    const wanting = [...this.#clients].filter(({ options }) => (stream === 1 ? options.stdout : options.stderr))
    if (wanting.length === 0) return
    const bytes = this.#options.tty ? Buffer.from(chunk) : frame(stream, chunk)
    for (const { outlet } of wanting) outlet?.send(bytes)
  }

  #outputEnded(): void {
    this.#openOutputs--
    if (this.#openOutputs === 0) this.#ended.resolve()
  }

  #remove(client: Client): void {
    this.#clients.delete(client)
    this.#checkRoom()
  }

  #checkRoom(): void {
    if (this.#paused && !this.#mustPause()) this.#resumeOutput()
  }

  /** Clients are waited for while the process runs, the log's disk to the end. */
  #mustPause(): boolean {
    if (this.#options.log?.isFull) return true
    return !this.#draining && [...this.#clients].some(({ outlet }) => outlet?.isFull)
  }

  #pauseOutput(): void {
    if (this.#paused) return
    this.#paused = true
    for (const output of this.#streams?.outputs ?? []) output.pause()
    this.#watchStall()
  }

  #resumeOutput(): void {
    clearTimeout(this.#stall)
    this.#paused = false
    for (const output of this.#streams?.outputs ?? []) output.resume()
  }

  /** Cuts off the clients whose time is up, and comes back when the next one's will be. */
  #watchStall(): void {
    clearTimeout(this.#stall)
    const slow = [...this.#clients].filter(({ outlet }) => this.#finished || outlet?.isFull)
    if (slow.length === 0) return
    const shared = !this.#finished && slow.length < this.#clients.size
    const allowedMs = shared ? this.#limits.sharedStallMs : this.#limits.stallMs
    const now = performance.now()
    let nextMs = allowedMs
    for (const client of slow) {
      const leftMs = (client.outlet?.progressAt ?? now) + allowedMs - now
      if (leftMs <= 0) client.drop()
      else nextMs = Math.min(nextMs, leftMs)
    }
    this.#stall = setTimeout(() => this.#watchStall(), Math.ceil(nextMs)).unref()
  }
}

/** Docker's stream frame: the stream's number, three zeros, a big-endian length, the bytes. */
function frame(stream: OutputStream, chunk: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(8 + chunk.length)
  bytes.writeUInt32BE(stream * 0x1000000, 0)
  bytes.writeUInt32BE(chunk.length, 4)
  chunk.copy(bytes, 8)
  return bytes
}
