import type { BodyFraming } from '@berth/base'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { socketDescriptor } from './socket-descriptor.ts'

/** The body of a request whose head alone was read from the connection. */
export interface LeftBody {
  readonly socket: Socket
  /** What came along with the request's head. */
  readonly head: Buffer
  readonly framing: BodyFraming
}

/** Below this the connection is worth more than what is won. */
const leastBytes = 1 << 20

/** How the body of a request is told that is worth being left in its socket; undefined: none. */
export function leavableBody({ headers, httpVersion }: IncomingMessage): BodyFraming | undefined {
  const { expect, 'transfer-encoding': coding, 'content-length': size, upgrade } = headers
  if (httpVersion !== '1.1' || upgrade !== undefined) return undefined
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') return undefined
  if (coding !== undefined) return coding.toLowerCase() === 'chunked' ? { kind: 'chunked' } : undefined
  const sizeBytes = Number(size ?? 0)
  return sizeBytes >= leastBytes ? { kind: 'sized', sizeBytes } : undefined
}

/** What Node has on a connection and does not document: its parser, the answer that is under way, and what reads it. */
interface ServedSocket extends Socket {
  readonly _handle?: { reading: boolean; readStart(): void } | null
  readonly parser?: { onIncoming?: ((request: IncomingMessage, keepAlive: boolean) => number) | null } | null
  readonly _httpMessage?: unknown
}

/** Answer to the parser (llhttp's on_headers_complete): what follows is not HTTP. */
const leavesHttp = 2

/**
 * Makes the connection's parser end behind the head of each request that `isWanted`. The server tells of that as of an
 * upgrade, with what it has read beyond, and reads no more; the connection serves no request after it. Without effect
 * where Node is not as expected, on TLS, and for a request behind another one that is not answered yet.
 */
export function leaveBodies(connection: Socket, isWanted: (request: IncomingMessage) => boolean): void {
  const socket: ServedSocket = connection
  const { parser } = socket
  const onIncoming = parser?.onIncoming
  if (!parser || typeof onIncoming !== 'function' || socketDescriptor(socket) === undefined) return
  parser.onIncoming = (request, keepAlive) => {
    if (socket._httpMessage || !isWanted(request)) return onIncoming.call(parser, request, keepAlive)
    // Node heeds this for as long as it has not told of the upgrade, and a resume no more: see readAgain().
    socket.pause()
    Object.assign(request, { upgrade: true })
    return leavesHttp
  }
}

/** How long a client that was answered may be silent before its connection is closed. */
const lingerMs = 2000

/** Reads and drops what nobody wants: a client that sends all before it listens hears the answer. */
export function dropRest(socket: Socket): void {
  socket.setTimeout(lingerMs, () => socket.destroy())
  readAgain(socket).resume()
}

/** The socket, as a stream of what comes after a left body's head. */
export function readAgain(socket: Socket): Socket {
  const { _handle: handle } = socket as ServedSocket
  if (handle && !handle.reading) {
    handle.reading = true
    handle.readStart()
  }
  return socket
}
