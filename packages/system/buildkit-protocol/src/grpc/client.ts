import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2'
import type { Duplex } from 'node:stream'
import { grpcCode, GrpcError } from './error.ts'
import { corkForTick } from './cork.ts'
import { encodeFrame, FrameReader } from './frames.ts'
import { ReadAhead } from './read-ahead.ts'
import { enlargeWindow, http2Options, maxMessageBytes } from './settings.ts'
import { readStatus } from './status.ts'
import { unfinishedBytesOf } from './unfinished-bytes.ts'

/** One method of the other side. */
export interface RemoteMethod<I extends DescMessage = DescMessage, O extends DescMessage = DescMessage> {
  /** `/package.Service/Method`. */
  readonly path: string
  readonly input: I
  readonly output: O
}

/** A call that both sides send messages in. */
export interface ClientCall<I extends DescMessage, O extends DescMessage> {
  /** Resolves when the connection takes more; rejects when the call is over. */
  send(message: MessageInitShape<I>): Promise<void>
  /** Sends without waiting: for small messages, of which there are no more than the other side has caused. */
  post(message: MessageInitShape<I>): void
  /** Says that nothing more is sent. */
  end(): void
  /** Ends with the call's status; throws what is no success. */
  readonly messages: AsyncIterable<MessageShape<O>>
  /** The same messages, as many at once as have come; either of the two can be read, once. */
  readonly batches: AsyncIterable<readonly MessageShape<O>[]>
  cancel(): void
}

export interface CallOptions {
  readonly metadata?: OutgoingHttpHeaders
  readonly signal?: AbortSignal
}

/** Calls the other side of a connection that is open already; owns it. */
export class GrpcClient implements Disposable {
  readonly #session: ClientHttp2Session

  constructor(socket: Duplex, onClose: () => void) {
    this.#session = connect('http://localhost', { ...http2Options, createConnection: () => socket })
    this.#session.once('connect', () => enlargeWindow(this.#session))
    this.#session.on('error', () => undefined)
    socket.once('end', () => this.#session.destroy())
    this.#session.once('close', () => {
      socket.destroy()
      onClose()
    })
  }

  get isClosed(): boolean {
    return this.#session.closed || this.#session.destroyed
  }

  [Symbol.dispose](): void {
    this.#session.destroy()
  }

  /** One message there, one back. */
  async call<I extends DescMessage, O extends DescMessage>(
    method: RemoteMethod<I, O>,
    message: MessageInitShape<I>,
    options: CallOptions = {},
  ): Promise<MessageShape<O>> {
    const call = this.open(method, options)
    await call.send(message)
    call.end()
    let last: MessageShape<O> | undefined
    for await (const answer of call.messages) last = answer
    if (last === undefined) throw new GrpcError(grpcCode.internal, `${method.path}: no answer`)
    return last
  }

  open<I extends DescMessage, O extends DescMessage>(
    method: RemoteMethod<I, O>,
    { metadata = {}, signal }: CallOptions = {},
  ): ClientCall<I, O> {
    signal?.throwIfAborted()
    if (this.isClosed) throw new GrpcError(grpcCode.unavailable, 'the session is closed')
    const headers = {
      ':method': 'POST',
      ':path': method.path,
      ':scheme': 'http',
      ':authority': 'localhost',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...metadata,
    }
    const stream = this.#session.request(headers, { ...(signal && { signal }) })
    return new Call(stream, method)
  }
}

async function* single<T>(batches: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  for await (const batch of batches) yield* batch
}

class Call<I extends DescMessage, O extends DescMessage> implements ClientCall<I, O> {
  readonly messages: AsyncIterable<MessageShape<O>>
  readonly batches: AsyncIterable<readonly MessageShape<O>[]>
  readonly #stream: ClientHttp2Stream
  readonly #method: RemoteMethod<I, O>
  readonly #body: ReadAhead
  /** Undefined until it came, null for success. */
  #status: GrpcError | null | undefined
  #failure: Error | undefined

  constructor(stream: ClientHttp2Stream, method: RemoteMethod<I, O>) {
    this.#stream = stream
    this.#method = method
    const take = (headers: Parameters<typeof readStatus>[0]) => (this.#status ??= readStatus(headers))
    stream.on('response', take)
    stream.on('trailers', take)
    stream.on('error', (error: Error) => (this.#failure ??= error))
    // Read from now on: a stream that the other side ends first is thrown away with what nobody has taken by then.
    this.#body = new ReadAhead(stream)
    stream.on('frameError', () => stream.destroy(new Error('the headers of the call are too large')))
    this.batches = this.#receive()
    this.messages = single(this.batches)
  }

  async send(message: MessageInitShape<I>): Promise<void> {
    const { input } = this.#method
    if (this.#stream.destroyed) throw this.#reason()
    if (!this.#stream.writable) return
    corkForTick(this.#stream)
    if (this.#stream.write(encodeFrame(toBinary(input, create(input, message))))) return
    await this.#drained()
  }

  post(message: MessageInitShape<I>): void {
    const { input } = this.#method
    if (!this.#stream.writable) return
    corkForTick(this.#stream)
    this.#stream.write(encodeFrame(toBinary(input, create(input, message))))
  }

  end(): void {
    this.#stream.end()
  }

  cancel(): void {
    this.#stream.close()
  }

  async *#receive(): AsyncGenerator<readonly MessageShape<O>[]> {
    using reader = new FrameReader({
      maxBytes: maxMessageBytes,
      unfinished: unfinishedBytesOf(this.#stream.session),
    })
    try {
      for (let chunks = await this.#body.next(); chunks; chunks = await this.#body.next()) {
        const frames = chunks.flatMap((chunk) => reader.push(chunk))
        if (frames.length > 0) yield frames.map((frame) => this.#decode(frame))
      }
      reader.end()
    } catch (error) {
      if (error instanceof GrpcError) throw error
      throw this.#reason()
    } finally {
      if (!this.#stream.closed) this.#stream.close()
    }
    if (this.#status !== null) throw this.#reason()
  }

  #decode(frame: Buffer): MessageShape<O> {
    try {
      return fromBinary(this.#method.output, frame)
    } catch (error) {
      throw new GrpcError(grpcCode.internal, `malformed message: ${(error as Error).message}`)
    }
  }

  #reason(): GrpcError {
    if (this.#status) return this.#status
    return new GrpcError(grpcCode.unavailable, this.#failure?.message ?? 'the call ended without a status')
  }

  #drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#stream.off('drain', done)
        this.#stream.off('close', done)
        if (this.#stream.destroyed) reject(this.#reason())
        else resolve()
      }
      this.#stream.once('drain', done)
      this.#stream.once('close', done)
    })
  }
}
