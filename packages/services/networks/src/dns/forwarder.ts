import { randomInt } from 'node:crypto'
import { closeSync, readSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { codeOf } from '@berth/base'
import { connectSocket, Epoll, inNetns } from '@berth/linux'
import { isResponseTo, type Query, responseCode, responseCodes } from './message.ts'
import { Slots } from './slots.ts'
import { frame, readFrame } from './tcp-frames.ts'

/** A server of the outside. */
export interface UpstreamServer {
  readonly address: string
  /** It is the host's own, asked from there; else the container's network is what leads to it. */
  readonly fromHost: boolean
}

export interface ForwardRequest {
  readonly query: Query
  /** The question as it came. */
  readonly message: Buffer
  readonly transport: 'udp' | 'tcp'
  readonly sandboxId: string
  readonly pin: string
  readonly servers: readonly UpstreamServer[]
}

const dnsPort = 53
/** As many as a resolv.conf's are asked. */
const maxServers = 3
/** How long a server has while there is another to ask, and how long the last one. */
const impatientMs = 2000
const patientMs = 4000

/** Asks the servers of the outside, a bounded number of questions at once. */
export class Forwarder implements Disposable {
  readonly #slots = new Slots()
  readonly #waiting = new Map<number, () => void>()
  readonly #epoll = new Epoll((fd) => this.#waiting.get(fd)?.())
  readonly #buffer = Buffer.alloc(65_536)

  /** The first good answer of a server, in order; else the last bad one; undefined: none answered, or too many ask. */
  async forward(request: ForwardRequest): Promise<Buffer | undefined> {
    using slot = await this.#slots.acquire(request.sandboxId)
    return slot && (await this.#ask(request))
  }

  async #ask(request: ForwardRequest): Promise<Buffer | undefined> {
    const servers = request.servers.slice(0, maxServers)
    let last: Buffer | undefined
    for (const [index, server] of servers.entries()) {
      const timeoutMs = index < servers.length - 1 ? impatientMs : patientMs
      const answer = await this.#exchange(request, server, timeoutMs)
      if (answer && isFinal(answer)) return answer
      last = answer ?? last
    }
    return last
  }

  async #exchange(request: ForwardRequest, server: UpstreamServer, timeoutMs: number): Promise<Buffer | undefined> {
    // A number of its own: who guesses what a container asks for must not guess the answer's number too.
    const id = randomInt(65_536)
    const message = Buffer.from(request.message)
    message.writeUInt16BE(id, 0)
    try {
      const fd = connectTo(server, request)
      const exchange = request.transport === 'udp' ? this.#exchangeDatagram : exchangeStream
      const isAnswer = (bytes: Buffer) => isResponseTo(bytes, { id, question: request.query.question })
      const answer = await exchange.call(this, fd, { message, isAnswer, timeoutMs })
      answer?.writeUInt16BE(request.query.id, 0)
      return answer
    } catch (error) {
      // Unreachable, or refused: the next one is asked.
      if (codeOf(error) === undefined) throw error
      return undefined
    }
  }

  async #exchangeDatagram(fd: number, { message, isAnswer, timeoutMs }: Exchange): Promise<Buffer | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>()
    const timer = setTimeout(() => resolve(undefined), timeoutMs)
    this.#waiting.set(fd, () => {
      try {
        const bytes = this.#buffer.subarray(0, readSync(fd, this.#buffer))
        if (isAnswer(bytes)) resolve(Buffer.from(bytes))
      } catch (error) {
        if (codeOf(error) !== 'EAGAIN') reject(error)
      }
    })
    try {
      this.#epoll.add(fd)
      writeSync(fd, message)
      return await promise
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(fd)
      this.#epoll.remove(fd)
      closeSync(fd)
    }
  }

  [Symbol.dispose](): void {
    this.#epoll[Symbol.dispose]()
  }
}

interface Exchange {
  readonly message: Buffer
  readonly isAnswer: (bytes: Buffer) => boolean
  readonly timeoutMs: number
}

/** Success and the knowledge that there is no such name; anything else another server may know better. */
function isFinal(answer: Buffer): boolean {
  const code = responseCode(answer)
  return code === responseCodes.ok || code === responseCodes.noSuchName
}

function connectTo({ address, fromHost }: UpstreamServer, { transport, pin }: ForwardRequest): number {
  const connect = () => connectSocket(transport, { address, port: dnsPort })
  return fromHost ? connect() : inNetns(pin, connect)
}

async function exchangeStream(fd: number, { message, isAnswer, timeoutMs }: Exchange): Promise<Buffer | undefined> {
  const socket = new Socket({ fd, readable: true, writable: true })
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>()
  let received = Buffer.alloc(0)
  socket.setTimeout(timeoutMs, () => resolve(undefined))
  socket.once('error', () => resolve(undefined)).once('close', () => resolve(undefined))
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    const found = readFrame(received)
    if (found) resolve(isAnswer(found.message) ? Buffer.from(found.message) : undefined)
  })
  socket.write(frame(message))
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}
