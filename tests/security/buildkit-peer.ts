import { once } from 'node:events'
import { request } from 'node:http'
import {
  type ClientHttp2Session,
  connect,
  type OutgoingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Duplex } from 'node:stream'
import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import type { TestDaemon } from '@berth/testing'
import {
  Control,
  GrpcClient,
  LLBBridge,
  Packet_PacketType as PacketType,
  PacketSchema,
} from '../../packages/system/buildkit-protocol/src/index.ts'

const socketPath = (daemon: TestDaemon): string => daemon.host.replace('unix://', '')

/** A connection of the engine that has left HTTP/1.1. */
export async function upgrade(
  daemon: TestDaemon,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Duplex> {
  const asked = request({
    socketPath: socketPath(daemon),
    method: 'POST',
    path,
    headers: { Connection: 'Upgrade', Upgrade: 'h2c', ...headers },
  })
  asked.end()
  const [answer, socket, head] = (await Promise.race([
    once(asked, 'upgrade'),
    once(asked, 'response').then(([response]) => [response, undefined]),
  ])) as [{ statusCode: number }, Duplex | undefined, Buffer]
  if (!socket) throw new Error(`${path}: ${answer.statusCode}`)
  socket.on('error', () => {})
  if (head.length > 0) socket.unshift(head)
  return socket
}

/** A message as it goes over a stream. */
export function frame<M extends DescMessage>(schema: M, message: MessageInitShape<M>): Buffer {
  const bytes = toBinary(schema, create(schema, message))
  const head = Buffer.alloc(5)
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

/** How a call ended. */
export interface Ended {
  /** Of gRPC; undefined when the stream ended without. */
  readonly status: string | undefined
  readonly message: string
}

/** A connection to `/grpc` that calls with raw bytes. */
export class RawClient implements Disposable {
  readonly #session: ClientHttp2Session

  private constructor(session: ClientHttp2Session) {
    this.#session = session
  }

  static async open(daemon: TestDaemon): Promise<RawClient> {
    const socket = await upgrade(daemon, '/grpc')
    const session = connect('http://x', { createConnection: () => socket as never, maxSessionMemory: 2000 })
    session.on('error', () => {})
    return new RawClient(session)
  }

  /** One call with these bytes as its body. */
  call(path: string, body: Buffer, metadata: OutgoingHttpHeaders = {}): Promise<Ended> {
    const { stream, ended } = this.begin(path, metadata)
    stream.end(body)
    return ended
  }

  /** A call whose body the caller writes. */
  begin(path: string, metadata: OutgoingHttpHeaders = {}) {
    const head = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc' }
    const stream = this.#session.request({ ...head, ...metadata })
    let ended: Ended = { status: undefined, message: '' }
    const take = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] === undefined) return
      const message = decodeURIComponent(String(headers['grpc-message'] ?? ''))
      ended = { status: String(headers['grpc-status']), message }
    }
    stream.on('response', take)
    stream.on('trailers', take)
    stream.on('error', () => {})
    stream.resume()
    return { stream, ended: new Promise<Ended>((resolve) => stream.once('close', () => resolve(ended))) }
  }

  [Symbol.dispose](): void {
    this.#session.destroy()
  }
}

/** Bits of Go's FileMode. */
export const directory = 2 ** 31
export const symlink = 2 ** 27

export type Stat = NonNullable<MessageInitShape<typeof PacketSchema>['stat']>

export const send = (stream: ServerHttp2Stream, stats: readonly Stat[]): void => {
  for (const stat of stats) stream.write(frame(PacketSchema, { type: PacketType.PACKET_STAT, stat }))
  stream.write(frame(PacketSchema, { type: PacketType.PACKET_STAT }))
}

/** Whatever the engine wants, everything is said. */
export const finish = (stream: ServerHttp2Stream): void => {
  stream.once('data', () => {
    stream.write(frame(PacketSchema, { type: PacketType.PACKET_FIN }))
    stream.end()
  })
}

/** Answers for the Dockerfile's directory, and hands the others to `other`. */
export function files(dockerfile: string, other: (stream: ServerHttp2Stream) => void) {
  return (stream: ServerHttp2Stream, name: string, follows: string) => {
    if (follows === '.dockerignore') {
      send(stream, [])
      return finish(stream)
    }
    if (name !== 'dockerfile') return other(stream)
    send(stream, [{ path: 'Dockerfile', mode: 0o644, size: BigInt(dockerfile.length) }])
    stream.once('data', () => {
      stream.write(frame(PacketSchema, { type: PacketType.PACKET_DATA, id: 0, data: Buffer.from(dockerfile) }))
      stream.write(frame(PacketSchema, { type: PacketType.PACKET_DATA, id: 0 }))
      stream.write(frame(PacketSchema, { type: PacketType.PACKET_FIN }))
      stream.end()
    })
  }
}

type Answers = Readonly<Record<string, (stream: ServerHttp2Stream, directory: string, follows: string) => void>>

/** A client's session that answers as a test wants; what it has no answer for is unimplemented. */
export async function openSession(daemon: TestDaemon, id: string, answers: Answers): Promise<Duplex> {
  const socket = await upgrade(daemon, '/session', { 'X-Docker-Expose-Session-Uuid': id })
  const session = performServerHandshake(socket)
  session.on('error', () => {})
  session.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    const answer = answers[String(headers[':path'])]
    const head = { ':status': 200, 'content-type': 'application/grpc' }
    if (!answer) return stream.respond({ ...head, 'grpc-status': '12' }, { endStream: true })
    stream.respond(head, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    answer(stream, String(headers['dir-name'] ?? ''), String(headers['followpaths'] ?? ''))
  })
  return socket
}

/** One build over BuildKit's interface; resolves to the message that it fails by, '' when it succeeds. */
export async function build(
  daemon: TestDaemon,
  sessionId: string,
  attributes: Readonly<Record<string, string>> = {},
  entitlements: readonly string[] = [],
): Promise<string> {
  using client = new GrpcClient(await upgrade(daemon, '/grpc'), () => {})
  const ref = `ref-${sessionId}`
  const solve = { ...Control.method.solve, path: '/moby.buildkit.v1.Control/Solve' }
  const frontend = { ...LLBBridge.method.solve, path: '/moby.buildkit.v1.frontend.LLBBridge/Solve' }
  const solving = client.call(solve, { ref, session: sessionId, entitlements: [...entitlements] })
  solving.catch(() => {})
  try {
    const request = { frontend: 'dockerfile.v0', frontendOpt: { ...attributes } }
    await client.call(frontend, request, { metadata: { 'buildkit-controlapi-buildid': ref } })
    return ''
  } catch (error) {
    return (error as Error).message
  }
}
