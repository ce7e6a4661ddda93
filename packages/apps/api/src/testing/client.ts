import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** A client's connection below HTTP. */
export interface RawConnection {
  readonly socket: Socket
  /** Everything received so far, as latin1. */
  received(): string
  /** Resolves when what was received contains `text`. */
  until(text: string): Promise<string>
  /** Resolves with everything when the server ended its side. */
  readonly ended: Promise<string>
}

export interface ApiClient {
  readonly path: string
  call(method: string, target: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>
  json(target: string): Promise<unknown>
  /** Resolves at the head of the answer. */
  open(method: string, target: string): Promise<IncomingMessage>
  raw(lines: readonly string[], body?: string): RawConnection
}

export function apiClient(path: string): ApiClient {
  const call: ApiClient['call'] = async (method, target, body, headers) => {
    const response = await send({ path, headers }, method, target, body)
    const text = await readAll(response)
    return { status: response.statusCode ?? 0, headers: response.headers, text }
  }
  return {
    path,
    call,
    json: async (target) => JSON.parse((await call('GET', target)).text) as unknown,
    open: (method, target) => send({ path }, method, target),
    raw: (lines, body = '') => openRaw(path, `${lines.join('\r\n')}\r\n\r\n${body}`),
  }
}

interface Way {
  readonly path: string
  readonly headers?: Readonly<Record<string, string>> | undefined
}

async function send(way: Way, method: string, path: string, body?: unknown): Promise<IncomingMessage> {
  const isJson = body !== undefined && !Buffer.isBuffer(body)
  const headers = { ...(isJson ? { 'Content-Type': 'application/json' } : {}), ...way.headers }
  const outgoing = request({ socketPath: way.path, method, path, headers, agent: false })
  outgoing.end(isJson ? JSON.stringify(body) : (body as Buffer | undefined))
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  return response
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function openRaw(path: string, head: string): RawConnection {
  const socket = connect({ path, allowHalfOpen: true })
  let text = ''
  const waiting = new Set<() => void>()
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    for (const check of waiting) check()
  })
  const ended = once(socket, 'end').then(() => text)
  ended.catch(() => undefined)
  socket.write(head, 'latin1')
  return {
    socket,
    received: () => text,
    ended,
    until: (wanted) =>
      new Promise((resolve) => {
        const check = () => {
          if (!text.includes(wanted)) return
          waiting.delete(check)
          resolve(text)
        }
        waiting.add(check)
        check()
      }),
  }
}
