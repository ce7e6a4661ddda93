import { once } from 'node:events'
import { createServer, type IncomingMessage, request as httpRequest, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'

export interface ForwardProxyOptions {
  /** Default 127.0.0.1, and a free port. */
  readonly address?: string
  readonly port?: number
  /** `host:port` that stands for every other; default: each is who it is. */
  readonly everything?: string
  /** `name:password`: nobody else is served. */
  readonly credentials?: string
  /** PEM: clients speak TLS to the proxy itself. */
  readonly tls?: { readonly certificate: string; readonly key: string }
  /** To every request: an answer of this status, or none ever. */
  readonly refusal?: number | 'silence'
  readonly onRequest?: (line: string) => void
}

/** A proxy that forwards plain HTTP and makes tunnels. */
export interface ForwardProxy extends Disposable {
  readonly host: string
  /** `METHOD target` of each request. */
  readonly requests: string[]
}

/** Who asks by curl gives no name before it is asked for one (RFC 9110, section 11.7.1). */
const challenge = { 'Proxy-Authenticate': 'Basic realm="proxy"' }

export async function startForwardProxy(options: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const requests: string[] = []
  const sockets = new Set<Socket>()
  const listener: RequestListener = (request, response) => {
    const refusal = judge(options, requests, request)
    if (refusal === 'silence') return
    if (refusal !== undefined) return void response.writeHead(refusal, 'No', challenge).end()
    const url = new URL(request.url ?? '')
    const [host, port] = target(options, `${url.hostname}:${url.port || 80}`)
    const { method, headers } = request
    const onward = httpRequest({ host, port, path: url.pathname + url.search, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  }
  const { tls } = options
  const server = tls ? createTlsServer({ cert: tls.certificate, key: tls.key }, listener) : createServer(listener)
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => socket.destroy())
    const refusal = judge(options, requests, request)
    if (refusal === 'silence') return
    if (refusal !== undefined)
      return void socket.end(`HTTP/1.1 ${refusal} No\r\nProxy-Authenticate: ${challenge['Proxy-Authenticate']}\r\n\r\n`)
    const [host, port] = target(options, request.url ?? '')
    const onward = connect(port, host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    sockets.add(onward)
  })
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.listen(options.port ?? 0, options.address ?? '127.0.0.1')
  await once(server, 'listening')
  const { address, port } = server.address() as AddressInfo
  return {
    host: `${address}:${port}`,
    requests,
    [Symbol.dispose]: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function judge(
  { credentials, refusal, onRequest }: ForwardProxyOptions,
  requests: string[],
  { method, url, headers }: IncomingMessage,
): number | 'silence' | undefined {
  const line = `${method} ${url}`
  requests.push(line)
  onRequest?.(line)
  if (refusal !== undefined) return refusal
  const wanted = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`
  return wanted === undefined || headers['proxy-authorization'] === wanted ? undefined : 407
}

function target({ everything }: ForwardProxyOptions, asked: string): [host: string, port: number] {
  const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(everything ?? asked) ?? []
  return [host, Number(port)]
}
