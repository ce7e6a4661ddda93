import { httpStatus, invalid, messageOf, type Logger } from '@berth/base'
import type { AttachQuery, Containers } from '@berth/containers'
import { boolParameter, has, sizeParameter, timeParameter } from '@berth/engine-api'
import { STATUS_CODES } from 'node:http'
import type { Exchange } from '../exchange.ts'
import { rawStream, splice, streamType } from '../hijack.ts'
import { sendChunks, sendEmpty, sendJson } from '../respond.ts'
import type { Route } from '../router.ts'
import { acceptKey, opcode } from '../websocket.ts'

interface Deps {
  readonly containers: Pick<Containers, 'get' | 'logs' | 'attach' | 'resize' | 'stats'>
  readonly log: Logger
}

/** What flows to and from containers: logs, attached clients, statistics. */
export function containerStreamRoutes({ containers, log }: Deps): Route[] {
  return [
    { method: 'GET', path: '/containers/:name/logs', handler: (exchange) => logs(exchange, containers) },
    { method: 'GET', path: '/containers/:name/stats', handler: (exchange) => stats(exchange, containers) },
    {
      method: 'POST',
      path: '/containers/:name/attach',
      upgradesTo: 'stream',
      handler: (exchange) => attach(exchange, containers, log),
    },
    {
      method: 'GET',
      path: '/containers/:name/attach/ws',
      upgradesTo: 'websocket',
      handler: (exchange) => attachWebSocket(exchange, containers),
    },
    {
      method: 'POST',
      path: '/containers/:name/resize',
      handler: async (exchange) => {
        await containers.resize(exchange.param('name'), readSize(exchange))
        sendEmpty(exchange, 200)
      },
    },
  ]
}

/** Height before width, as the errors come. */
export function readSize({ query }: Exchange): { readonly rows: number; readonly columns: number } {
  const rows = sizeParameter(query, 'h')
  return { rows, columns: sizeParameter(query, 'w') }
}

async function logs(exchange: Exchange, containers: Pick<Containers, 'logs'>): Promise<void> {
  const { query, version } = exchange
  const [stdout, stderr] = [boolParameter(query, 'stdout'), boolParameter(query, 'stderr')]
  if (!stdout && !stderr) throw invalid('Bad parameters: you must choose at least one stream')
  const since = timeParameter(query, 'since')
  const until = timeParameter(query, 'until')
  const tail = readTail(query.get('tail'))
  const logQuery = {
    stdout,
    stderr,
    timestamps: boolParameter(query, 'timestamps'),
    details: boolParameter(query, 'details'),
    ...(since ? { sinceNs: since } : {}),
    ...(until ? { untilNs: until } : {}),
    ...(tail === undefined ? {} : { tail }),
  }
  const follow = boolParameter(query, 'follow')
  const { tty, chunks } = containers.logs(exchange.param('name'), logQuery, follow ? exchange.signal : undefined)
  await sendChunks(exchange, chunks, { contentType: streamType(version, tty), headAtOnce: true })
}

/** All lines where it is absent or no number, as in Docker. */
function readTail(tail: string | null): number | undefined {
  return tail !== null && /^\d{1,15}$/.test(tail) ? Number(tail) : undefined
}

async function stats(exchange: Exchange, containers: Pick<Containers, 'stats' | 'get'>): Promise<void> {
  const { query, version, signal } = exchange
  const stream = boolParameter(query, 'stream', true)
  const oneShot = has(version, 'oneShotStats') && boolParameter(query, 'one-shot')
  if (stream && oneShot) throw invalid('cannot have stream=true and one-shot=true')
  const { id } = containers.get(exchange.param('name'))
  const documents = containers.stats(id, { stream, oneShot, signal })
  if (stream) {
    return sendChunks(exchange, lines(documents), { contentType: 'application/json', headAtOnce: true })
  }
  for await (const document of documents) return sendJson(exchange, document)
  if (!signal.aborted) throw new Error(`no statistics of ${id} came`)
}

async function* lines(documents: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const document of documents) yield `${JSON.stringify(document)}\n`
}

function readAttachQuery({ query }: Exchange): AttachQuery {
  const flag = (name: string) => boolParameter(query, name)
  return {
    stream: flag('stream'),
    logs: flag('logs'),
    stdin: flag('stdin'),
    stdout: flag('stdout'),
    stderr: flag('stderr'),
    detachKeys: query.get('detachKeys') ?? '',
  }
}

async function attach(exchange: Exchange, containers: Pick<Containers, 'attach'>, log: Logger): Promise<void> {
  const query = readAttachQuery(exchange)
  const attached = await containers.attach(exchange.param('name'), query).catch((error: unknown) => {
    refuseAttach(exchange, error)
  })
  if (attached) await splice(exchange, attached.stream, { tty: attached.tty, stdin: query.stdin, log })
}

/** Docker has left HTTP by the time it looks: the error is text on a connection that closes. */
function refuseAttach({ response }: Exchange, error: unknown): void {
  const status = httpStatus(error)
  if (status === 500) throw error
  const body = `${messageOf(error)}\r\n`
  const head = { 'Content-Type': rawStream, Connection: 'close', 'Content-Length': Buffer.byteLength(body) }
  response.writeHead(status, STATUS_CODES[status], head).end(body)
}

async function attachWebSocket(exchange: Exchange, containers: Pick<Containers, 'get' | 'attach'>): Promise<void> {
  const { request, response, upgraded, version } = exchange
  containers.get(exchange.param('name'))
  const key = request.headers['sec-websocket-key']
  const problem = handshakeProblem(exchange)
  if (!upgraded || !key || problem) {
    response
      .writeHead(400, { 'Sec-WebSocket-Version': '13', Connection: 'close' })
      .end(problem ?? 'not websocket protocol')
    return
  }
  const query = readAttachQuery(exchange)
  const { stream, tty } = await containers.attach(exchange.param('name'), query)
  const { socket } = upgraded
  response.detachSocket(socket as never)
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`,
  )
  const { spliceWebSocket } = await import('../websocket-stream.ts')
  const message = has(version, 'binaryWebsocketFrames') ? opcode.binary : opcode.text
  await spliceWebSocket(socket, stream, { tty, stdin: query.stdin, message })
}

function handshakeProblem({ request, upgraded }: Exchange): string | undefined {
  if (!upgraded || !request.headers['sec-websocket-key']) return 'not websocket protocol'
  if (request.headers['sec-websocket-version'] !== '13') return 'missing or bad WebSocket Version'
  return undefined
}
