import { isSocketSource, type SocketBytes, type SocketStream } from '@berth/base'
import { duplicate } from '@berth/linux'
import { closeSync, existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Pump } from './pump.ts'
import type { SinkName, Sinks, StreamName, Streams, TaskName, Tasks } from './tasks.ts'
import { type Begin, Thread } from './thread.ts'
import { WorkerStream } from './worker-stream.ts'

type TaskOf<F> = F extends (task: infer T, ...rest: never[]) => unknown ? T : never
type ResultOf<F> = F extends (...args: never[]) => infer R ? Awaited<R> : never

export interface LayerWorkerOptions {
  /** The worker's file; by default the one beside this module, or in the bundle. */
  readonly file?: string
  /** Threads at most, default one per two processors and 4 at most. */
  readonly threads?: number
  /** An idle thread ends after this long, default 1000 ms: it holds some 15 MB, and takes 40 ms to start. */
  readonly idleMs?: number
  /** One that is needed again this soon after another ended stays idle as long, default 60,000 ms. */
  readonly soonMs?: number
}

/**
 * Runs work on trees of files in worker threads, so that the event loop never waits for a disk. Threads start when there
 * is work and end after a while without.
 */
export class LayerWorker implements AsyncDisposable {
  readonly #options: Required<LayerWorkerOptions>
  readonly #threads = new Set<Thread>()
  /** When the last thread ended. */
  #endedAt = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(options: LayerWorkerOptions = {}) {
    const threads = Math.min(4, Math.max(1, Math.ceil(availableParallelism() / 2)))
    this.#options = { file: defaultFile(), threads, idleMs: 1000, soonMs: 60_000, ...options }
  }

  /** Has a thread at hand; it ends as one does that has had nothing to do. */
  start(): void {
    if (this.#threads.size === 0) void this.run('remove', { paths: [] }).catch(() => {})
  }

  /** Runs a task. An abort rejects with the signal's reason once the task has stopped. */
  async run<N extends TaskName>(name: N, task: TaskOf<Tasks[N]>, signal?: AbortSignal): Promise<ResultOf<Tasks[N]>> {
    return (await this.#perform({ kind: 'run', name, task }, signal)) as ResultOf<Tasks[N]>
  }

  async #perform(request: Begin & { readonly task: unknown }, signal: AbortSignal | undefined): Promise<unknown> {
    signal?.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const cancel = this.#thread().begin(request, { resolve, reject })
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      return await promise
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    } finally {
      signal?.removeEventListener('abort', cancel)
    }
  }

  /** The tar that a task yields; the worker stays a few chunks ahead of the reader. Destroying the stream stops it. */
  stream<N extends StreamName>(name: N, task: TaskOf<Streams[N]>): Readable & SocketStream {
    return new WorkerStream((job) => this.#thread().beginStream({ kind: 'stream', name, task }, job))
  }

  /**
   * Gives `source` to a task as fast as that takes it, or lets the worker read it. What the task leaves unread of a stream
   * when it fails is the caller's. An error of the source, or an abort, stops the task and is what this rejects with.
   */
  async feed<N extends SinkName>(
    name: N,
    task: TaskOf<Sinks[N]>,
    source: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<void> {
    const socket = isSocketSource(source) ? source.takeSocket() : undefined
    if (socket) return await this.#feedSocket({ name, task }, socket, signal)
    signal?.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const pump = new Pump(source)
    const sink = this.#thread().beginSink({ kind: 'sink', name, task }, { resolve, reject, onWanted: pump.allow })
    const settled = promise.finally(pump.stop)
    signal?.addEventListener('abort', sink.cancel, { once: true })
    try {
      const pumped = pump.run(sink).catch((error: unknown) => {
        sink.cancel()
        throw error
      })
      await Promise.allSettled([settled, pumped])
      signal?.throwIfAborted()
      await pumped
      await settled
    } finally {
      signal?.removeEventListener('abort', sink.cancel)
    }
  }

  /** The worker's descriptor is a copy of one that stays open until it has answered. */
  async #feedSocket(
    sink: { readonly name: SinkName; readonly task: unknown },
    source: SocketBytes,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const fd = duplicate(source.fd)
    try {
      await this.#perform({ kind: 'sink', ...sink, socket: { ...source, fd } }, signal)
    } finally {
      closeSync(fd)
    }
  }

  /** Stops all threads; work under way is rejected. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#threads].map((thread) => thread.end()))
  }

  /** The thread with the least to do; a new one when all have something and there may be more. */
  #thread(): Thread {
    if (this.#isClosed) throw new Error('the layer worker is closed')
    const [best] = [...this.#threads].toSorted((a, b) => a.load - b.load)
    if (best && (best.load === 0 || this.#threads.size >= this.#options.threads)) return best
    const thread = new Thread({ file: this.#options.file, idleMs: this.#idleMs() }, () => {
      this.#threads.delete(thread)
      this.#endedAt = performance.now()
    })
    this.#threads.add(thread)
    return thread
  }

  /** How long a thread that is started now may be idle: whoever works again and again has it at hand. */
  #idleMs(): number {
    const { idleMs, soonMs } = this.#options
    return performance.now() - this.#endedAt < soonMs ? Math.max(idleMs, soonMs) : idleMs
  }
}

/** From sources the TypeScript beside this file; in the bundle (CommonJS) the file that the build puts beside it. */
function defaultFile(): string {
  const source = import.meta.dirname && join(import.meta.dirname, 'worker.ts')
  return source && existsSync(source) ? source : join(__dirname, 'layer-worker.cjs')
}
