import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { certificateProblem, codeOf, messageOf, tlsAlert } from '@berth/base'
import { hasBunChannels, openBunChannel } from './bun-channel.ts'
import type { Channel } from './channel.ts'
import { type Endpoint, formatEndpoint } from './endpoint.ts'
import { ConnectionError } from './errors.ts'
import { Inbox } from './inbox.ts'

/** PEM texts for a TLS connection. */
export interface TlsOptions {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** Whether the server's certificate has to be trusted. */
  readonly verify: boolean
}

/** One connection, read by pulling; unread bytes are bounded by back-pressure. */
export class Connection implements Channel {
  readonly socket: Duplex
  readonly #inbox: Inbox

  constructor(socket: Duplex) {
    this.socket = socket
    this.#inbox = new Inbox({
      pause: () => void socket.pause(),
      resume: () => void socket.resume(),
      destroy: () => void socket.destroy(),
    })
    socket.on('data', (chunk: Buffer) => this.#inbox.push(chunk))
    socket.on('end', () => this.#inbox.finish())
    socket.on('close', () => this.#inbox.finish())
    socket.on('error', (error: Error) => this.#inbox.finish(explainAlert(error)))
  }

  read(): Promise<Buffer | undefined> {
    return this.#inbox.read()
  }

  unread(chunk: Buffer): void {
    this.#inbox.unread(chunk)
  }

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
    return this.#inbox.isQuiet && this.socket.writable
  }

  /** After the handshake is when an engine looks at a certificate. */
  get closedHint(): string {
    return 'encrypted' in this.socket ? ': it may not trust the certificate that it was shown' : ''
  }

  breakOn(signal: AbortSignal | undefined): void {
    this.#inbox.breakOn(signal)
  }

  /** Hands the socket over, with what was read too far; who takes it owns it. */
  async release(): Promise<Duplex> {
    this.breakOn(undefined)
    for (const event of ['data', 'end', 'close', 'error']) this.socket.removeAllListeners(event)
    this.socket.pause()
    const rest = this.#inbox.takeAll()
    if (rest.length > 0) this.socket.unshift(rest)
    if (!('bun' in process.versions)) return this.socket
    const { wrapSocket } = await import('./wrapped-socket.ts')
    return wrapSocket(this.socket)
  }

  destroy(): void {
    this.breakOn(undefined)
    this.socket.destroy()
  }
}

/** Connects for HTTP exchanges only, as fast as the runtime can. Rejects as `connect` does. */
export async function openChannel(endpoint: Endpoint, tls: TlsOptions | undefined): Promise<Channel> {
  if (endpoint.kind !== 'unix' || !hasBunChannels()) return connect(endpoint, tls)
  try {
    return await openBunChannel(endpoint.path)
  } catch (error) {
    throw explain(endpoint, error as Error)
  }
}

/** Connects; rejects with a `ConnectionError` in the words that docker's users know. */
export async function connect(endpoint: Endpoint, tls: TlsOptions | undefined): Promise<Connection> {
  if (endpoint.kind === 'ssh') {
    const { openSsh } = await import('./ssh.ts')
    return new Connection(openSsh(endpoint))
  }
  const secure = endpoint.kind === 'tcp' && tls !== undefined
  const socket = secure ? await openTls(endpoint, tls) : await openPlain(endpoint)
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

async function openPlain(endpoint: Exclude<Endpoint, { kind: 'ssh' }>): Promise<Socket> {
  const net = await import('node:net')
  // Half-open: the engine may end its side while standard input is still being sent.
  const common = { allowHalfOpen: true, noDelay: true }
  if (endpoint.kind === 'unix') return net.connect({ path: endpoint.path, allowHalfOpen: true })
  return net.connect({ host: endpoint.host, port: endpoint.port, ...common })
}

async function openTls(endpoint: Endpoint & { kind: 'tcp' }, options: TlsOptions): Promise<Socket> {
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
