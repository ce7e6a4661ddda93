import { once } from 'node:events'
import { request } from 'node:http'
import { performServerHandshake, type ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import type { TestDaemon } from '@berth/testing'
import { Control, GrpcClient, LLBBridge } from '../../packages/system/buildkit-protocol/src/index.ts'

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
): Promise<string> {
  using client = new GrpcClient(await upgrade(daemon, '/grpc'), () => {})
  const ref = `ref-${sessionId}`
  const solve = { ...Control.method.solve, path: '/moby.buildkit.v1.Control/Solve' }
  const frontend = { ...LLBBridge.method.solve, path: '/moby.buildkit.v1.frontend.LLBBridge/Solve' }
  const solving = client.call(solve, { ref, session: sessionId })
  solving.catch(() => {})
  try {
    const request = { frontend: 'dockerfile.v0', frontendOpt: { ...attributes } }
    await client.call(frontend, request, { metadata: { 'buildkit-controlapi-buildid': ref } })
    return ''
  } catch (error) {
    return (error as Error).message
  }
}
