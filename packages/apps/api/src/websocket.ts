import { createHash } from 'node:crypto'

/** RFC 6455: the framing of both directions and the opening handshake's answer, as a server needs them. */
export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export type DataOpcode = typeof opcode.text | typeof opcode.binary

const handshakeSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** `Sec-WebSocket-Accept` for the client's key (section 4.2.2). */
export const acceptKey = (key: string): string =>
  createHash('sha1')
    .update(key + handshakeSuffix)
    .digest('base64')

/** One unmasked frame, whole (section 5.2). */
export function encodeWebSocketFrame(code: number, payload: Uint8Array): Buffer {
  return Buffer.concat([frameHead(code, payload.length), payload])
}

function frameHead(code: number, length: number): Buffer {
  const first = 0x80 | code
  if (length < 126) return Buffer.of(first, length)
  if (length < 65_536) return Buffer.of(first, 126, length >> 8, length & 0xff)
  const head = Buffer.alloc(10)
  head[0] = first
  head[1] = 127
  head.writeBigUInt64BE(BigInt(length), 2)
  return head
}

/** The payload of a close frame. */
export function encodeCloseReason(status: number, reason = ''): Buffer {
  const text = Buffer.from(reason).subarray(0, 123)
  return Buffer.concat([Buffer.of(status >> 8, status & 0xff), text])
}

/** The peer broke the protocol; `status` is the close code that says so (section 7.4.1). */
export class WebSocketError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'WebSocketError'
    this.status = status
  }
}

export interface WebSocketFrame {
  readonly opcode: number
  readonly isFinal: boolean
  /** Unmasked. */
  readonly payload: Buffer
}

/** A client's frame may carry this much; input is small and comes as it is typed. */
const largestPayloadBytes = 1024 * 1024

/** Takes a client's bytes in pieces of any size. */
export class WebSocketDecoder {
  #buffered: Buffer = Buffer.alloc(0)
  #isFragmented = false

  /** The frames that are whole now; throws `WebSocketError`. */
  push(chunk: Buffer): WebSocketFrame[] {
    this.#buffered = this.#buffered.length > 0 ? Buffer.concat([this.#buffered, chunk]) : chunk
    const frames: WebSocketFrame[] = []
    for (let frame = this.#take(); frame; frame = this.#take()) frames.push(frame)
    return frames
  }

  #take(): WebSocketFrame | undefined {
    const head = readHead(this.#buffered)
    if (!head) return undefined
    this.#checkSequence(head)
    const end = head.payloadAt + head.length
    if (this.#buffered.length < end) return undefined
    if (head.opcode < opcode.close) this.#isFragmented = !head.isFinal
    const payload = unmask(this.#buffered.subarray(head.payloadAt, end), head.mask)
    this.#buffered = this.#buffered.subarray(end)
    return { opcode: head.opcode, isFinal: head.isFinal, payload }
  }

  #checkSequence({ opcode: code }: FrameHead): void {
    if (code >= opcode.close) return
    if (this.#isFragmented !== (code === opcode.continuation)) {
      throw new WebSocketError(1002, 'fragments of a message are out of order')
    }
  }
}

interface FrameHead {
  readonly opcode: number
  readonly isFinal: boolean
  readonly mask: Buffer
  readonly payloadAt: number
  readonly length: number
}

/** The head at the start of `bytes`, undefined while it is not whole. */
function readHead(bytes: Buffer): FrameHead | undefined {
  if (bytes.length < 2) return undefined
  const [first, second] = [bytes[0]!, bytes[1]!]
  const code = first & 0x0f
  const isFinal = (first & 0x80) !== 0
  if (first & 0x70) throw new WebSocketError(1002, 'reserved bits are set')
  if (code > opcode.pong || (code > opcode.binary && code < opcode.close)) {
    throw new WebSocketError(1002, `opcode ${code} is reserved`)
  }
  if (!(second & 0x80)) throw new WebSocketError(1002, "a client's frame must be masked")
  const short = second & 0x7f
  if (code >= opcode.close && (short > 125 || !isFinal)) {
    throw new WebSocketError(1002, 'a control frame must be short and whole')
  }
  const maskAt = short === 127 ? 10 : short === 126 ? 4 : 2
  if (bytes.length < maskAt + 4) return undefined
  const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short
  if (length > largestPayloadBytes) throw new WebSocketError(1009, `a frame of ${length} bytes is too long`)
  return { opcode: code, isFinal, mask: bytes.subarray(maskAt, maskAt + 4), payloadAt: maskAt + 4, length }
}

function unmask(payload: Buffer, mask: Buffer): Buffer {
  const plain = Buffer.allocUnsafe(payload.length)
  for (let i = 0; i < payload.length; i++) plain[i] = payload[i]! ^ mask[i & 3]!
  return plain
}
