import net from 'node:net'
import type { Duplex } from 'node:stream'
import { certificateProblem, codeOf, messageOf, tlsAlert } from '@berth/base'
import { type Endpoint, formatEndpoint } from './endpoint.ts'
import { ConnectionError } from './errors.ts'
import { wrapSocket } from './wrapped-socket.ts'

/** PEM texts for a TLS connection. */
export interface TlsOptions {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** Whether the server's certificate has to be trusted. */
  readonly verify: boolean
}

/** Bytes buffered from a connection before it is told to wait. */
const highWaterBytes = 1024 * 1024

/** One connection, read by pulling; unread bytes are bounded by back-pressure. */
export class Connection {
  readonly socket: Duplex
  #chunks: Buffer[] = []
  #bufferedBytes = 0
  #ended = false
  #error: Error | undefined
  #waiting: (() => void) | undefined
  #forget: (() => void) | undefined

  constructor(socket: Duplex) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.#push(chunk))
    socket.on('end', () => this.#finish())
    socket.on('close', () => this.#finish())
    socket.on('error', (error: Error) => this.#finish(explainAlert(error)))
  }

  /** The next bytes; undefined at the end of the stream. Rejects if the connection broke. */
  async read(): Promise<Buffer | undefined> {
    while (this.#chunks.length === 0) {
      if (this.#error !== undefined) throw this.#error
      if (this.#ended) return undefined
      await new Promise<void>((resolve) => (this.#waiting = resolve))
    }
    const chunk = this.#chunks.shift()
    this.#bufferedBytes -= chunk?.length ?? 0
    if (this.#bufferedBytes < highWaterBytes && this.socket.isPaused()) this.socket.resume()
    return chunk
  }

  /** Puts back bytes that were read too far. */
  unread(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#chunks.unshift(chunk)
    this.#bufferedBytes += chunk.length
  }

  /** Writes all of it; resolves when the kernel can take more. */
  async write(data: Uint8Array | string): Promise<void> {
    if (this.socket.write(data)) return
    await new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        this.socket.off('drain', settle).off('close', settle).off('error', reject)
        resolve()
      }
      this.socket.on('drain', settle).on('close', settle).on('error', reject)
    })
  }

  get usable(): boolean {
    return !this.#ended && this.#error === undefined && this.#chunks.length === 0 && this.socket.writable
  }

  /** Aborting the signal breaks the connection, and its reason is what reads reject with; undefined: no longer. */
  breakOn(signal: AbortSignal | undefined): void {
    this.#forget?.()
    this.#forget = undefined
    if (signal === undefined) return
    const onAbort = (): void => {
      this.#finish(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)))
      this.socket.destroy()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#forget = () => signal.removeEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
  }

  /** Hands the socket over, with what was read too far; who takes it owns it. */
  release(): Duplex {
    this.breakOn(undefined)
    for (const event of ['data', 'end', 'close', 'error']) this.socket.removeAllListeners(event)
    this.socket.pause()
    const rest = Buffer.concat(this.#chunks.splice(0))
    if (rest.length > 0) this.socket.unshift(rest)
    return 'bun' in process.versions ? wrapSocket(this.socket) : this.socket
  }

  destroy(): void {
    this.breakOn(undefined)
    this.socket.destroy()
  }

  #push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bufferedBytes += chunk.length
    if (this.#bufferedBytes >= highWaterBytes) this.socket.pause()
    this.#wake()
  }

  #finish(error?: Error): void {
    this.#ended = true
    this.#error ??= error
    this.#wake()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.()
  }
}

/** Connects; rejects with a `ConnectionError` in the words that docker's users know. */
export async function connect(endpoint: Endpoint, tls: TlsOptions | undefined): Promise<Connection> {
  if (endpoint.kind === 'ssh') {
    const { openSsh } = await import('./ssh.ts')
    return new Connection(openSsh(endpoint))
  }
  const secure = endpoint.kind === 'tcp' && tls !== undefined
  const socket = secure ? await openTls(endpoint, tls) : openPlain(endpoint)
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => reject(explain(endpoint, error))
    socket.once('error', fail)
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      socket.off('error', fail)
      resolve()
    })
  })
  return new Connection(socket)
}

function openPlain(endpoint: Exclude<Endpoint, { kind: 'ssh' }>): net.Socket {
  // Half-open: the engine may end its side while standard input is still being sent.
  const common = { allowHalfOpen: true, noDelay: true }
  if (endpoint.kind === 'unix') return net.connect({ path: endpoint.path, allowHalfOpen: true })
  return net.connect({ host: endpoint.host, port: endpoint.port, ...common })
}

async function openTls(endpoint: Endpoint & { kind: 'tcp' }, options: TlsOptions): Promise<net.Socket> {
  const tls = await import('node:tls')
  const { verify, ...pem } = options
  return tls.connect({ host: endpoint.host, port: endpoint.port, rejectUnauthorized: verify, ...pem })
}

function explain(endpoint: Endpoint, cause: Error): ConnectionError {
  const where = formatEndpoint(endpoint)
  switch (codeOf(cause)) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return new ConnectionError(`Cannot connect to the Berth daemon at ${where}. Is the berth daemon running?`, {
        cause,
        kind: 'absent',
      })
    case 'EACCES':
    case 'EPERM':
      return new ConnectionError(`permission denied while trying to connect to the Berth daemon socket at ${where}`, {
        cause,
        kind: 'forbidden',
      })
    default:
      return new ConnectionError(
        `error during connect to ${where}: ${certificateProblem(cause, hostOf(endpoint)) ?? messageOf(cause)}`,
        {
          cause,
        },
      )
  }
}

const hostOf = (endpoint: Endpoint): string => (endpoint.kind === 'tcp' ? endpoint.host : '')

function explainAlert(error: Error): Error {
  const alert = tlsAlert(error)
  return alert === undefined ? error : new ConnectionError(`error during connect: ${alert}`, { cause: error })
}
