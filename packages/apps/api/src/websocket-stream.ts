import { FrameDecoder } from '@berth/engine-api'
import type { Duplex } from 'node:stream'
import { drained, isClientGone } from './flow.ts'
import {
  type DataOpcode,
  encodeCloseReason,
  encodeWebSocketFrame,
  opcode,
  WebSocketDecoder,
  WebSocketError,
} from './websocket.ts'

export interface WebSocketOptions {
  readonly tty: boolean
  readonly stdin: boolean
  /** What a message of output is: text for clients of old, else binary. */
  readonly message: DataOpcode
}

/**
 * Joins a websocket and a process's stream. Output goes out without the framing of streams, as Docker sends it; the
 * client's messages are input; its close frame ends both.
 */
export async function spliceWebSocket(socket: Duplex, stream: Duplex, options: WebSocketOptions): Promise<void> {
  const abandon = () => void stream.destroy()
  socket.once('close', abandon)
  socket.on('error', abandon)
  stream.on('error', () => undefined)
  const input = receive(socket, stream, options.stdin)
  try {
    await send(socket, stream, options)
    if (socket.writable) socket.write(encodeWebSocketFrame(opcode.close, encodeCloseReason(1000)))
  } catch (error) {
    if (!isClientGone(error)) throw error
  } finally {
    stream.destroy()
    socket.end()
    const timer = setTimeout(() => socket.destroy(), lingerMs)
    await input
    clearTimeout(timer)
    socket.destroy()
  }
}

/** How long a client may take to answer our close. */
const lingerMs = 500

async function send(socket: Duplex, stream: Duplex, { tty, message }: WebSocketOptions): Promise<void> {
  const decoder = new FrameDecoder()
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const payloads = tty ? [chunk] : decoder.push(chunk).map(({ payload }) => payload)
    for (const payload of payloads) {
      if (!socket.writable) return
      if (!socket.write(encodeWebSocketFrame(message, payload))) await drained(socket)
    }
  }
}

/** Reads the client until it closes; answers pings; a broken protocol is answered by its close code. */
async function receive(socket: Duplex, stream: Duplex, stdin: boolean): Promise<void> {
  const decoder = new WebSocketDecoder()
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      for (const frame of decoder.push(chunk)) {
        if (frame.opcode === opcode.close) return close(socket, stream, frame.payload)
        if (frame.opcode === opcode.ping) await pong(socket, frame.payload)
        else if (frame.opcode < opcode.close && stdin) await write(stream, frame.payload)
      }
    }
    // A connection that ends without a close frame was cut.
    stream.destroy()
  } catch (error) {
    if (error instanceof WebSocketError) close(socket, stream, encodeCloseReason(error.status, error.message))
  }
}

/** No faster than the client reads: else one that only pings would fill the memory. */
async function pong(socket: Duplex, payload: Buffer): Promise<void> {
  if (!socket.write(encodeWebSocketFrame(opcode.pong, payload))) await drained(socket)
}

function close(socket: Duplex, stream: Duplex, reason: Buffer): void {
  if (socket.writable) socket.end(encodeWebSocketFrame(opcode.close, reason))
  stream.destroy()
}

async function write(stream: Duplex, payload: Buffer): Promise<void> {
  if (stream.writable && !stream.write(payload)) await drained(stream)
}
