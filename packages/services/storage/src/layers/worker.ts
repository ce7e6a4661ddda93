import { codeOf, EngineError, messageOf } from '@berth/base'
import { parentPort } from 'node:worker_threads'
import type { Answer, Failure, Request } from './protocol.ts'
import { IncomingChunks } from './incoming-chunks.ts'
import { SocketReader } from './socket-reader.ts'
import { SocketWriter } from './socket-writer.ts'
import { type Sinks, sinks, type Streams, streams, type Tasks, tasks } from './tasks.ts'

/** So long a client that still sends what failed is listened to. */
const restMs = 250

/** Requests under way. */
const running = new Map<number, Running>()

type Begun = Extract<Request, { kind: 'run' | 'stream' | 'sink' }>

interface Running {
  readonly abort: AbortController
  credit: number
  /** Where a stream writes its chunks, which it sends otherwise. */
  writer?: SocketWriter
  /** Wakes a stream that waits for credit. */
  wake: () => void
  /** What a sink is given. */
  incoming?: IncomingChunks
}

const port = parentPort
if (!port) throw new Error('this file runs as a worker thread')
port.on('message', (request: Request) => void onRequest(request))

async function onRequest(request: Request): Promise<void> {
  const known = running.get(request.id)
  if (request.kind === 'cancel') known?.abort.abort()
  if (request.kind === 'credit' && known) known.credit += request.chunks
  if (request.kind === 'target' && known) known.writer = new SocketWriter(request.fd, known.abort.signal)
  if (request.kind === 'data') known?.incoming?.add(request.chunk)
  if (request.kind === 'end') known?.incoming?.end()
  known?.wake()
  if (request.kind !== 'run' && request.kind !== 'stream' && request.kind !== 'sink') return
  const state: Running = { abort: new AbortController(), credit: 0, wake: () => {} }
  running.set(request.id, state)
  answer(await settle(request, state))
  running.delete(request.id)
}

/** Nothing of the request's is held any more when its answer goes out. */
async function settle(request: Begun, state: Running): Promise<Answer> {
  const { id } = request
  try {
    return { kind: 'result', id, result: await perform(request, state) }
  } catch (error) {
    return { kind: 'failure', id, failure: failureOf(error) }
  } finally {
    state.writer?.[Symbol.dispose]()
  }
}

function perform(request: Begun, state: Running): Promise<unknown> {
  switch (request.kind) {
    case 'run':
      return runTask(request, state)
    case 'stream':
      return runStream(request, state)
    case 'sink':
      return runSink(request, state)
  }
}

// The main thread pairs names and tasks by type.
async function runTask(request: Request & { kind: 'run' }, state: Running): Promise<unknown> {
  const run = tasks[request.name] as (task: unknown, signal: AbortSignal) => ReturnType<Tasks[keyof Tasks]>
  return await run(request.task, state.abort.signal)
}

async function runStream(request: Request & { kind: 'stream' }, state: Running): Promise<void> {
  const open = streams[request.name] as (task: unknown) => ReturnType<Streams[keyof Streams]>
  for (const chunk of open(request.task)) {
    await deliver(chunk, request.id, state)
    // Lets other requests, and the word that this one is cancelled, in between.
    await new Promise((resolve) => setImmediate(resolve))
  }
  await state.writer?.end()
}

async function deliver(chunk: Buffer, id: number, state: Running): Promise<void> {
  let isReady = false
  while (state.credit === 0 && !state.abort.signal.aborted) {
    if (state.writer && !isReady) answer({ kind: 'ready', id })
    isReady = state.writer !== undefined
    await woken(state)
  }
  state.abort.signal.throwIfAborted()
  if (state.writer) return await state.writer.write(chunk)
  state.credit--
  answer({ kind: 'chunk', id, chunk }, [chunk.buffer as ArrayBuffer])
}

async function runSink(request: Request & { kind: 'sink' }, state: Running): Promise<unknown> {
  const run = sinks[request.name] as (
    task: unknown,
    source: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ) => ReturnType<Sinks[keyof Sinks]>
  const { signal } = state.abort
  if (request.socket) {
    using reader = new SocketReader(request.socket, signal)
    try {
      return await run(request.task, reader, signal)
    } catch (error) {
      await reader.drop(restMs)
      throw error
    }
  }
  state.incoming = new IncomingChunks((chunks) => answer({ kind: 'wanted', id: request.id, chunks }), signal)
  return await run(request.task, state.incoming, signal)
}

function woken(state: Running): Promise<void> {
  return new Promise((resolve) => (state.wake = resolve))
}

function answer(message: Answer, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer)
}

function failureOf(error: unknown): Failure {
  const errorKind = error instanceof EngineError ? error.kind : undefined
  return { message: messageOf(error), errorKind, code: codeOf(error) }
}
