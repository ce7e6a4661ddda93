import type { IncomingMessage, ServerResponse } from 'node:http'

/** One request while it is answered. */
export interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly method: string
  readonly query: URLSearchParams
  /** Who asks, where passwords are asked for. */
  readonly user: string | undefined
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal
}

export type Headers = Readonly<Record<string, string | number>>

export function send(call: Call, status: number, headers: Headers = {}, body: string | Uint8Array = ''): void {
  const length = status === 204 || status === 304 ? {} : { 'Content-Length': Buffer.byteLength(body) }
  call.response.writeHead(status, { ...length, ...headers })
  call.response.end(body)
}

export function sendJson(call: Call, status: number, document: object, headers: Headers = {}): void {
  send(call, status, { 'Content-Type': 'application/json', ...headers }, JSON.stringify(document))
}

/** Whether the client has the document already (RFC 9110, 13.1.2). */
export function isKnownToClient(call: Call, etag: string): boolean {
  const known = call.request.headers['if-none-match']
  return known !== undefined && known.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)
}
