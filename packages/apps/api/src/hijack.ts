import { type ApiVersion, has } from '@berth/engine-api'
import type { Logger } from '@berth/base'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex, Readable, Transform, Writable } from 'node:stream'
import { hasNoBody } from './body.ts'
import { clientGone, type Exchange } from './exchange.ts'
import { isClientGone } from './flow.ts'

export const rawStream = 'application/vnd.docker.raw-stream'
const multiplexedStream = 'application/vnd.docker.multiplexed-stream'

/** The media type of a container's output; clients below 1.42 know only one. */
export const streamType = (version: ApiVersion, tty: boolean): string =>
  !tty && has(version, 'multiplexedMediaType') ? multiplexedStream : rawStream

/** A connection taken from HTTP: the same socket twice, or a request's body and its answer. */
interface Hijacked {
  readonly input: Readable
  readonly output: Writable
}

/**
 * Takes the connection from HTTP. The head is written on its own, before any data: some clients lose what arrives with
 * it. Without an upgrade the answer is the output and a body, if there is one, the input.
 */
function hijack({ request, response, upgraded, version }: Exchange, tty: boolean): Hijacked {
  if (!upgraded) {
    response.useChunkedEncodingByDefault = false
    response.writeHead(200, { 'Content-Type': rawStream, Connection: 'close' })
    response.flushHeaders()
    return { input: request, output: response }
  }
  const { socket } = upgraded
  response.detachSocket(socket as Socket)
  socket.write(
    `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${streamType(version, tty)}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n${ownHeaders(response)}\r\n`,
  )
  return { input: socket, output: socket }
}

/** The headers that every answer has, as lines. */
function ownHeaders(response: ServerResponse): string {
  // Node documents this for every outgoing message; its types know it of requests only.
  const names = (response as unknown as { getRawHeaderNames(): string[] }).getRawHeaderNames()
  return names.map((name) => `${name}: ${String(response.getHeader(name))}\r\n`).join('')
}

export interface SpliceOptions {
  readonly tty: boolean
  /** The client's input goes to the stream; else it is read and dropped. */
  readonly stdin: boolean
  /** Between the stream and the client, where the two frame differently. */
  readonly convert?: Transform | undefined
  readonly log: Logger
}

/** Joins the client and a process's stream until the output ends or the client is gone; then both are closed. */
export async function splice(exchange: Exchange, stream: Duplex, options: SpliceOptions): Promise<void> {
  const client = hijack(exchange, options.tty)
  // A request without a body says nothing about the process's input; its end must not end that.
  const hasInput = exchange.upgraded !== undefined || !hasNoBody(exchange.request)
  feed(client.input, stream, options.stdin && hasInput)
  using _ = probeAfterEnd(client.input, exchange.upgraded?.socket ?? exchange.request.socket)
  try {
    await carry(stream, client.output, options.convert)
  } catch (error) {
    client.output.destroy()
    if (!isClientGone(error)) options.log.warn({ err: error }, 'a stream to a client broke')
  } finally {
    stream.destroy()
    hangUp(client)
  }
}

async function carry(from: Readable, to: Writable, convert: Transform | undefined): Promise<void> {
  await (convert ? Promise.all([pass(from, convert), pass(convert, to)]) : pass(from, to))
}

/**
 * Passes on what `from` says, no faster than `to` takes it, and its end. Resolves when all is written; rejects when either
 * breaks, and destroys neither. To node:stream's pipeline() the little that most execs say costs twice as much.
 */
function pass(from: Readable, to: Writable): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const giveUp = () => reject(clientGone)
  if (from.destroyed || to.destroyed) giveUp()
  to.once('finish', resolve).once('error', reject).once('close', giveUp)
  to.on('drain', () => from.resume())
  from.on('data', (chunk: Buffer) => {
    if (!to.write(chunk)) from.pause()
  })
  from.once('end', () => to.end())
  from.once('error', reject).once('close', () => from.readableEnded || giveUp())
  return promise
}

/** The end of the client's input ends the stream's, and nothing else. */
function feed(input: Readable, stream: Duplex, stdin: boolean): void {
  input.on('error', () => undefined)
  stream.on('error', () => undefined)
  if (stdin) input.pipe(stream)
  else input.resume()
}

/** How often a client that has only ended its sending is asked whether it is still there. */
const probeMs = 5000

/**
 * A client that closed a unix socket looks like one that ended its sending, until something is written to it, which may
 * never happen. Nothing is enough: the kernel answers EPIPE if the peer has closed (unix(7)), and the socket closes.
 */
function probeAfterEnd(input: Readable, socket: Duplex): Disposable {
  let timer: NodeJS.Timeout | undefined
  const probe = () => {
    if (!('encrypted' in socket) && socket.writable) socket.write(Buffer.alloc(0))
  }
  const onEnd = () => {
    probe()
    timer = setInterval(probe, probeMs).unref()
  }
  if (input.readableEnded) onEnd()
  else input.once('end', onEnd)
  return {
    [Symbol.dispose]: () => {
      input.off('end', onEnd)
      clearInterval(timer)
    },
  }
}

const lingerMs = 500

/** The client has our end; it gets a moment to close too, so that what it still sends does not reset the connection. */
function hangUp({ input, output }: Hijacked): void {
  if (output.destroyed) return
  input.unpipe()
  input.resume()
  const timer = setTimeout(() => output.destroy(), lingerMs).unref()
  const leave = () => {
    clearTimeout(timer)
    output.destroy()
  }
  if (input.readableEnded || input.destroyed) leave()
  else input.once('end', leave).once('close', leave)
}
