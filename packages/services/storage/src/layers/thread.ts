import { EngineError, type SocketBytes } from '@berth/base'
import { Worker } from 'node:worker_threads'
import type { Answer, Failure, Request } from './protocol.ts'
import type { SinkHandle } from './pump.ts'
import type { SinkName, StreamName, TaskName } from './tasks.ts'

/** What steers a stream under way. */
export interface StreamHandle {
  /** Lets the worker send so many more chunks. */
  readonly grant: (chunks: number) => void
  /** Makes it write them to a socket, from the first credit on. */
  readonly redirect: (fd: number) => void
  readonly cancel: () => void
}

/** Who waits for a request. */
export interface Job {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
  readonly onChunk?: (chunk: Uint8Array) => void
  readonly onReady?: () => void
  readonly onWanted?: (chunks: number) => void
}

/** What a thread is asked to do. */
export type Begin =
  | { readonly kind: 'run'; readonly name: TaskName }
  | { readonly kind: 'stream'; readonly name: StreamName }
  | { readonly kind: 'sink'; readonly name: SinkName; readonly socket?: SocketBytes }

/** One worker thread, and who waits for what of it. */
export class Thread {
  readonly #worker: Worker
  readonly #jobs = new Map<number, Job>()
  readonly #idleMs: number
  /** Called once nothing more may be given to this thread. */
  readonly #onEnd: () => void
  #idle: NodeJS.Timeout | undefined
  #lastId = 0

  constructor({ file, idleMs }: { readonly file: string; readonly idleMs: number }, onEnd: () => void) {
    this.#idleMs = idleMs
    this.#onEnd = onEnd
    // Descriptors come and go by system calls that Node does not see.
    this.#worker = new Worker(file, { trackUnmanagedFds: false, name: 'layers' })
    this.#worker.on('message', (answer: Answer) => this.#onAnswer(answer))
    const lost = (error: Error) => {
      onEnd()
      for (const job of this.#jobs.values()) job.reject(error)
      this.#jobs.clear()
    }
    this.#worker.on('error', lost)
    this.#worker.on('exit', (code) => lost(new Error(`the layer worker ended with status ${code}`)))
  }

  get load(): number {
    return this.#jobs.size
  }

  /** Starts a request and returns what cancels it. */
  begin(request: Begin & { readonly task: unknown }, job: Job): () => void {
    const id = ++this.#lastId
    this.#jobs.set(id, job)
    clearTimeout(this.#idle)
    this.#worker.ref()
    this.#post({ ...request, id })
    return () => {
      if (this.#jobs.has(id)) this.#post({ kind: 'cancel', id })
    }
  }

  beginStream(request: Begin & { readonly task: unknown }, job: Job): StreamHandle {
    const cancel = this.begin(request, job)
    const id = this.#lastId
    const grant = (chunks: number) => {
      if (this.#jobs.has(id)) this.#post({ kind: 'credit', id, chunks })
    }
    const redirect = (fd: number) => {
      if (this.#jobs.has(id)) this.#post({ kind: 'target', id, fd })
    }
    return { cancel, grant, redirect }
  }

  beginSink(request: Begin & { readonly task: unknown }, job: Job): SinkHandle {
    const cancel = this.begin(request, job)
    const id = this.#lastId
    const isOpen = () => this.#jobs.has(id)
    return {
      cancel,
      send: (chunk) => isOpen() && this.#worker.postMessage({ kind: 'data', id, chunk }, [chunk.buffer]),
      end: () => isOpen() && this.#post({ kind: 'end', id }),
    }
  }

  async end(): Promise<void> {
    clearTimeout(this.#idle)
    this.#onEnd()
    await this.#worker.terminate()
  }

  #post(request: Request): void {
    this.#worker.postMessage(request)
  }

  #onAnswer(answer: Answer): void {
    const job = this.#jobs.get(answer.id)
    if (answer.kind === 'chunk') return job?.onChunk?.(answer.chunk)
    if (answer.kind === 'ready') return job?.onReady?.()
    if (answer.kind === 'wanted') return job?.onWanted?.(answer.chunks)
    this.#jobs.delete(answer.id)
    if (answer.kind === 'result') job?.resolve(answer.result)
    else job?.reject(errorOf(answer.failure))
    if (this.#jobs.size > 0) return
    this.#worker.unref()
    this.#idle = setTimeout(() => void this.end(), this.#idleMs).unref()
  }
}

function errorOf({ message, errorKind, code }: Failure): Error {
  if (errorKind) return new EngineError(errorKind, message)
  return Object.assign(new Error(message), code === undefined ? {} : { code })
}
