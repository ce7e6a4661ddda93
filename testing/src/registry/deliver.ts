import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Misbehaviour } from './misbehaviour.ts'

/** An answer before it is sent. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export const answer = (status: number, headers: Readonly<Record<string, string>> = {}, body: string | Buffer = '') => ({
  status,
  headers,
  body: Buffer.from(body),
})

export const jsonAnswer = (status: number, document: object, headers: Readonly<Record<string, string>> = {}): Answer =>
  answer(status, { 'Content-Type': 'application/json', ...headers }, JSON.stringify(document))

export const errorAnswer = (status: number, code: string, message = code.toLowerCase()): Answer =>
  jsonAnswer(status, { errors: [{ code, message }] })

/** How the bytes of an answer are to arrive. */
interface Manner {
  answer: Answer
  declaredBytes: number | undefined
  sentBytes: number
  ending: 'end' | 'destroy' | 'stay' | 'zeros'
  bytesPerSecond: number | undefined
}

/** Sends `right`, or what the misbehaviours make of it. A client that hangs up ends it. */
export async function deliver(
  response: ServerResponse,
  right: Answer,
  misbehaviours: readonly Misbehaviour[],
  url: string,
): Promise<void> {
  for (const how of misbehaviours) if (how.kind === 'wait') await how.until
  if (misbehaviours.some(({ kind }) => kind === 'hangUp')) return void response.destroy()
  const manner = misbehaviours.reduce((so, how) => bend(so, how, url), honestly(right))
  await send(response, manner)
}

const honestly = (right: Answer): Manner => ({
  answer: right,
  declaredBytes: right.body.length,
  sentBytes: right.body.length,
  ending: 'end',
  bytesPerSecond: undefined,
})

function bend(manner: Manner, how: Misbehaviour, url: string): Manner {
  const { answer: now } = manner
  const anew = (next: Partial<Answer>): Manner => honestly({ ...now, ...next })
  switch (how.kind) {
    case 'answer':
      return anew({ status: how.status, headers: how.headers ?? {}, body: Buffer.from(how.body ?? '') })
    case 'headers':
      return { ...manner, answer: { ...now, headers: replaced(now.headers, how.headers) } }
    case 'body':
      return anew({ body: Buffer.from(how.body) })
    case 'corrupt':
      return anew({ body: Buffer.concat([now.body.subarray(0, -1), Buffer.from([(now.body.at(-1) ?? 0) ^ 1])]) })
    case 'cut':
      return { ...manner, sentBytes: how.afterBytes, ending: 'destroy' }
    case 'shorten':
      return anew({ body: now.body.subarray(0, how.toBytes) })
    case 'lengthen':
      return anew({ body: Buffer.concat([now.body, Buffer.alloc(how.byBytes)]) })
    case 'declare':
      return { ...manner, declaredBytes: how.lengthBytes, ending: 'destroy' }
    case 'endless':
      return { ...manner, declaredBytes: undefined, ending: 'zeros' }
    case 'slow':
      return { ...manner, bytesPerSecond: how.bytesPerSecond }
    case 'stall':
      return { ...manner, sentBytes: how.afterBytes, ending: 'stay' }
    case 'redirect':
      return anew({ status: how.status ?? 307, headers: { Location: target(how.to, url) }, body: Buffer.alloc(0) })
    case 'ignoreRange':
    case 'hangUp':
    case 'wait':
      return manner
  }
}

const target = (to: string, url: string): string => (/^https?:\/\/[^/]+$/.test(to) ? to + url : to)

function replaced(
  headers: Readonly<Record<string, string>>,
  by: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const names = new Set(Object.keys(by).map((name) => name.toLowerCase()))
  const kept = Object.entries(headers).filter(([name]) => !names.has(name.toLowerCase()))
  const fresh = Object.entries(by).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return Object.fromEntries([...kept, ...fresh])
}

const zeros = Buffer.alloc(64 * 1024)
const beatMs = 20

async function send(response: ServerResponse, manner: Manner): Promise<void> {
  const { answer: now, declaredBytes, ending } = manner
  const length = declaredBytes === undefined || now.status === 204 ? {} : { 'Content-Length': String(declaredBytes) }
  response.writeHead(now.status, { ...length, ...now.headers })
  if (response.req.method === 'HEAD') return void response.end()
  await sendBytes(response, now.body.subarray(0, manner.sentBytes), manner.bytesPerSecond)
  if (ending === 'end') return void response.end()
  if (ending === 'destroy') return void response.socket?.destroySoon()
  if (ending === 'stay') return void response.flushHeaders()
  while (await sendBytes(response, zeros, undefined));
}

/** False once the client is gone. */
async function sendBytes(
  response: ServerResponse,
  bytes: Buffer,
  bytesPerSecond: number | undefined,
): Promise<boolean> {
  const step = bytesPerSecond === undefined ? 64 * 1024 : Math.max(1, Math.ceil((bytesPerSecond * beatMs) / 1000))
  for (let at = 0; at < bytes.length; at += step) {
    if (isGone(response)) return false
    if (!response.write(bytes.subarray(at, at + step))) await drained(response)
    if (bytesPerSecond !== undefined) await sleep((step * 1000) / bytesPerSecond)
  }
  return !isGone(response)
}

const isGone = (response: ServerResponse): boolean => response.destroyed || (response.socket?.destroyed ?? true)

/** Resolves when more may be written, or the client is gone. */
function drained(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  response.once('drain', resolve).once('close', resolve)
  return promise.finally(() => response.off('drain', resolve).off('close', resolve))
}
