import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { RemoteMethod } from './client.ts'
import { corkForTick } from './cork.ts'
import { grpcCode, GrpcError } from './error.ts'
import { decodeFrames, encodeFrame, FrameReader } from './frames.ts'
import { maxMessageBytes } from './settings.ts'
import { statusTrailers } from './status.ts'
import { unfinishedBytesOf } from './unfinished-bytes.ts'

/** One call, as its handler sees it. */
export interface Call {
  readonly metadata: IncomingHttpHeaders
  /** The values of metadata that may be repeated, which `metadata` has joined. */
  values(name: string): string[]
  /** Aborts when the client is gone or has given up. */
  readonly signal: AbortSignal
  /** Metadata that goes before the first answer. */
  header(name: string, value: string): void
}

type HandlerOf<M> = M extends {
  readonly methodKind: infer K
  readonly input: infer I extends DescMessage
  readonly output: infer O extends DescMessage
}
  ? K extends 'unary'
    ? (request: MessageShape<I>, call: Call) => Promise<MessageInitShape<O>>
    : K extends 'server_streaming'
      ? (request: MessageShape<I>, call: Call) => AsyncIterable<MessageInitShape<O>>
      : (requests: AsyncIterable<MessageShape<I>>, call: Call) => AsyncIterable<MessageInitShape<O>>
  : never

/** Handlers of a service's methods; those that are missing answer that they are unimplemented. */
export type Implementation<S extends DescService> = { readonly [K in keyof S['method']]?: HandlerOf<S['method'][K]> }

/** A call that both sides send messages in, as its handler sees it. */
export interface ServerChannel<I extends DescMessage, O extends DescMessage> extends Call {
  readonly messages: AsyncIterable<MessageShape<I>>
  /** Resolves when the connection takes more. */
  send(message: MessageInitShape<O>): Promise<void>
  /** The call ends when the handler does. */
  end(): void
  cancel(): void
}

type ChannelHandler = (channel: ServerChannel<DescMessage, DescMessage>) => Promise<void>

type Choose = (metadata: IncomingHttpHeaders) => Route

export interface Route {
  readonly method: RemoteMethod
  readonly handler: ChannelHandler
}

type Handler = (request: unknown, call: Call) => Promise<MessageInitShape<DescMessage>> | AsyncIterable<object>

interface Entry {
  readonly method: DescMethod
  readonly handler: Handler
}

/** Answers calls. What a handler throws and is no `GrpcError`, `explain` makes one of. */
export class GrpcRouter {
  readonly #entries = new Map<string, Entry>()
  readonly #routes = new Map<string, Choose>()
  readonly #explain: (error: unknown) => GrpcError

  constructor(explain: (error: unknown) => GrpcError) {
    this.#explain = explain
  }

  add<S extends DescService>(service: S, implementation: Implementation<S>): void {
    const handlers = implementation as Readonly<Record<string, Handler | undefined>>
    for (const method of service.methods) {
      const handler = handlers[method.localName]
      if (handler) this.#entries.set(`/${service.typeName}/${method.name}`, { method, handler })
    }
  }

  /** One message there, one back, by a method that no service describes. */
  unary<I extends DescMessage, O extends DescMessage>(
    method: RemoteMethod<I, O>,
    handler: (request: MessageShape<I>, call: Call) => Promise<MessageInitShape<O>>,
  ): void {
    this.stream(method, async (channel) => {
      const request = await onlyOne(channel.messages[Symbol.asyncIterator]())
      await channel.send(await handler(request, channel))
    })
  }

  /** A method that sends and receives as it likes; the call ends when the handler does. */
  stream<I extends DescMessage, O extends DescMessage>(
    method: RemoteMethod<I, O>,
    handler: (channel: ServerChannel<I, O>) => Promise<void>,
  ): void {
    const route = routeOf(method, handler)
    this.#routes.set(method.path, () => route)
  }

  /** A method whose messages are of one kind or another: `choose` throws for a call that is neither. */
  choice(path: string, choose: (metadata: IncomingHttpHeaders) => Route): void {
    this.#routes.set(path, choose)
  }

  /** Answers one stream; never throws. */
  async answer(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[] = [],
  ): Promise<void> {
    const answer = new Answer(stream)
    try {
      const path = String(headers[':path'] ?? '')
      const entry = this.#entries.get(path)
      const choose = this.#routes.get(path)
      const call = callOf(answer, headers, rawHeaders)
      if (choose) await serveChannel(choose(headers), answer, call)
      else if (entry) await serve(entry, answer, call)
      else throw new GrpcError(grpcCode.unimplemented, `unknown method ${path}`)
      answer.finish(success)
    } catch (error) {
      answer.finish(error instanceof GrpcError ? error : this.#explain(error))
    }
  }
}

/** A method with what answers it. */
export const routeOf = <I extends DescMessage, O extends DescMessage>(
  method: RemoteMethod<I, O>,
  handler: (channel: ServerChannel<I, O>) => Promise<void>,
): Route => ({ method, handler: handler as unknown as ChannelHandler })

const callOf = (answer: Answer, metadata: IncomingHttpHeaders, raw: readonly string[]): Call => ({
  metadata,
  get signal() {
    return answer.signal
  },
  header: (name, value) => answer.header(name, value),
  values: (name) => raw.filter((_, at) => at % 2 === 1 && raw[at - 1] === name),
})

async function serve({ method, handler }: Entry, answer: Answer, call: Call): Promise<void> {
  const sendsOne = method.methodKind === 'unary' || method.methodKind === 'server_streaming'
  const input = sendsOne ? await readRequest(answer.stream, method.input) : decodeRequests(answer.stream, method.input)
  if (method.methodKind === 'unary') {
    const response = await (handler(input, call) as Promise<MessageInitShape<DescMessage>>)
    return answer.reply(method.output, response)
  }
  const responses = handler(input, call) as AsyncIterable<MessageInitShape<DescMessage>>
  answer.begin()
  for await (const response of responses) await answer.send(method.output, response)
}

async function serveChannel({ method, handler }: Route, answer: Answer, call: Call): Promise<void> {
  await handler({
    ...call,
    messages: decodeRequests(answer.stream, method.input),
    send: (message) => answer.send(method.output, message),
    end: () => undefined,
    cancel: () => answer.stream.close(constants.NGHTTP2_CANCEL),
  })
  answer.begin()
}

/** The one message of a call whose client sends no more. */
async function readRequest(stream: ServerHttp2Stream, schema: DescMessage): Promise<unknown> {
  using reader = new FrameReader(limitsOf(stream))
  if (stream.destroyed) throw gone
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const take = (chunk: Buffer) => {
    try {
      const [first] = reader.push(chunk)
      if (first) resolve(first)
    } catch (error) {
      reject(error)
    }
  }
  const end = () => {
    try {
      reader.end()
      reject(new GrpcError(grpcCode.invalidArgument, missingRequest))
    } catch (error) {
      reject(error)
    }
  }
  const close = () => reject(gone)
  stream.on('data', take).once('end', end).once('close', close)
  try {
    return decodeMessage(schema, await promise)
  } finally {
    stream.pause().off('data', take).off('end', end).off('close', close)
  }
}

const limitsOf = (stream: ServerHttp2Stream) => ({
  maxBytes: maxMessageBytes,
  unfinished: unfinishedBytesOf(stream.session),
})

async function* decodeRequests(stream: ServerHttp2Stream, schema: DescMessage) {
  const chunks = chunksOf(stream)
  for await (const frames of decodeFrames(chunks, limitsOf(stream))) {
    for (const frame of frames) yield decodeMessage(schema, frame)
  }
}

/** What is wrong with a message must leave the stream for the status. A client that is gone has cancelled the call. */
async function* chunksOf(stream: ServerHttp2Stream): AsyncGenerator<Buffer> {
  try {
    yield* stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  } catch {
    throw gone
  }
}

function decodeMessage(schema: DescMessage, frame: Buffer) {
  try {
    return fromBinary(schema, frame)
  } catch (error) {
    throw new GrpcError(grpcCode.invalidArgument, `malformed message: ${(error as Error).message}`)
  }
}

async function onlyOne<T>(messages: AsyncIterator<T>): Promise<T> {
  const { value, done } = await messages.next()
  if (done) throw new GrpcError(grpcCode.invalidArgument, missingRequest)
  return value as T
}

const missingRequest = 'the request is missing'

/** One for all calls: a stack costs more than what most of them are asked. */
const success = new GrpcError(grpcCode.ok, '')
const gone = new GrpcError(grpcCode.cancelled, 'context canceled')

/** What a client may still send after the answer is not waited for longer; at once, its end would overtake the trailers. */
const lingerMs = 1000

/** The server's side of a stream. */
class Answer {
  readonly stream: ServerHttp2Stream
  readonly #headers: Record<string, string> = { 'content-type': 'application/grpc' }
  #begun = false
  /** Made for those who ask. */
  #abort: AbortController | undefined

  constructor(stream: ServerHttp2Stream) {
    this.stream = stream
    stream.on('error', () => undefined)
    stream.once('close', () => this.#abort?.abort(gone))
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.stream.closed) this.#abort.abort(gone)
    return this.#abort.signal
  }

  header(name: string, value: string): void {
    this.#headers[name] = value
  }

  begin(): void {
    if (this.#begun || this.stream.destroyed) return
    this.#begun = true
    this.stream.respond({ ':status': 200, ...this.#headers }, { waitForTrailers: true })
  }

  async send<O extends DescMessage>(schema: O, message: MessageInitShape<O>): Promise<void> {
    this.begin()
    if (this.stream.destroyed) throw gone
    corkForTick(this.stream)
    if (this.stream.write(encodeFrame(toBinary(schema, create(schema, message))))) return
    await drained(this.stream)
  }

  /** The only message, and a success: both go out together. */
  reply<O extends DescMessage>(schema: O, message: MessageInitShape<O>): void {
    if (this.stream.destroyed) throw gone
    const frame = encodeFrame(toBinary(schema, create(schema, message)))
    this.begin()
    this.#end(success, frame)
  }

  finish(status: GrpcError): void {
    if (this.stream.destroyed) return
    if (!this.#begun) {
      this.#begun = true
      this.stream.respond({ ':status': 200, ...this.#headers, ...statusTrailers(status) }, { endStream: true })
    } else if (!this.stream.writableEnded) this.#end(status)
    this.stream.resume()
    const close = () => this.stream.close(constants.NGHTTP2_NO_ERROR)
    const timer = setTimeout(close, lingerMs).unref()
    this.stream.once('close', () => clearTimeout(timer))
  }

  #end(status: GrpcError, frame?: Buffer): void {
    this.stream.once('wantTrailers', () => this.stream.sendTrailers(statusTrailers(status)))
    this.stream.end(frame)
  }
}

/** Resolves when the stream takes more, or is closed. */
export function drained(stream: ServerHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.once('drain', done)
    stream.once('close', done)
    if (stream.destroyed) done()
  })
}
