import { invalid, type Logger, messageOf } from '@berth/base'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface TlsFiles {
  readonly certificate: string
  readonly key: string
  /** Authorities of client certificates; with them every client must have one. */
  readonly clientAuthority?: string
}

export interface ServerOptions {
  readonly host: string
  readonly port: number
  readonly tls?: TlsFiles
  /** A connection on which nothing moves for so long ends. */
  readonly idleMs: number
  readonly maxConnections: number
  readonly logger: Logger
}

export interface OpenServer extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** Reads the certificates again. */
  reload(): void
  /** Takes no more connections and waits for the requests under way, so long at the most. */
  drain(graceMs: number): Promise<void>
}

const headersMs = 20_000
const keepAliveMs = 75_000

export async function openServer(options: ServerOptions, listener: RequestListener): Promise<OpenServer> {
  const server = options.tls ? createTlsServer(readTls(options.tls), listener) : createServer(listener)
  // Asked for the body only once it is wanted.
  server.on('checkContinue', listener)
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    else socket.destroy()
  })
  server.headersTimeout = headersMs
  server.requestTimeout = 0
  server.keepAliveTimeout = keepAliveMs
  server.timeout = options.idleMs
  server.maxConnections = options.maxConnections
  server.listen({ host: options.host, port: options.port, backlog: 4096 })
  await once(server, 'listening')
  const { address, port } = server.address() as AddressInfo
  const end = async () => {
    server.closeAllConnections()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  return {
    host: address,
    port,
    reload: () => reloadTls(server, options),
    drain: (graceMs) => drain(server, graceMs),
    [Symbol.asyncDispose]: end,
  }
}

function readTls({ certificate, key, clientAuthority }: TlsFiles) {
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path)
    } catch (error) {
      throw invalid(`cannot read ${path}: ${messageOf(error)}`, error)
    }
  }
  const clients =
    clientAuthority === undefined ? {} : { ca: read(clientAuthority), requestCert: true, rejectUnauthorized: true }
  return { cert: read(certificate), key: read(key), minVersion: 'TLSv1.2' as const, ...clients }
}

function reloadTls(server: Server | TlsServer, { tls, logger }: ServerOptions): void {
  if (!tls || !('setSecureContext' in server)) return
  try {
    server.setSecureContext(readTls(tls))
    logger.info({}, 'certificates read again')
  } catch (error) {
    logger.error({ error: messageOf(error) }, 'certificates kept: the new ones are wrong')
  }
}

async function drain(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  const idle = setInterval(() => server.closeIdleConnections(), 100)
  const late = setTimeout(() => server.closeAllConnections(), graceMs)
  server.closeIdleConnections()
  await closed
  clearInterval(idle)
  clearTimeout(late)
}
