import { EngineError, type ErrorKind } from '@berth/base'
import { STATUS_CODES } from 'node:http'
import { parseTokenRefusal } from './auth/challenge.ts'
import type { Answer } from './http/transport.ts'
import { readLimited } from './http/read-limited.ts'
import { retryAfterMs } from './retry.ts'

export interface RegistryFacts {
  /** Of HTTP. */
  readonly status: number
  /** Of the distribution specification: `MANIFEST_UNKNOWN`; '' when the registry named none. */
  readonly code: string
  /** The words of the registry alone, without the code's. */
  readonly said: string
  /** How long it asked to be left alone. */
  readonly retryAfterMs?: number
}

/** A registry's refusal, in its words as far as they are fit to be shown. */
export class RegistryError extends EngineError {
  readonly facts: RegistryFacts

  constructor(kind: ErrorKind, message: string, facts: RegistryFacts) {
    super(kind, message)
    this.facts = facts
  }
}

const maxErrorBytes = 16 * 1024
const longestText = 300

const kinds: Readonly<Record<number, ErrorKind>> = {
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'notFound',
  405: 'notImplemented',
  429: 'tooManyRequests',
}

/** What a code means where the registry adds no words (OCI distribution spec, error codes). */
const meanings: Readonly<Record<string, string>> = {
  UNAUTHORIZED: 'authentication required',
  DENIED: 'requested access to the resource is denied',
  TOOMANYREQUESTS: 'too many requests',
  NAME_UNKNOWN: 'repository name not known to registry',
  MANIFEST_UNKNOWN: 'manifest unknown',
  BLOB_UNKNOWN: 'blob unknown to registry',
}

const codeOfStatus: Readonly<Record<number, string>> = { 401: 'UNAUTHORIZED', 403: 'DENIED', 429: 'TOOMANYREQUESTS' }

/** The error that an answer is; reads a little of its body. `isOwn`: the answer is the registry's, not of a host elsewhere. */
export async function answerError(answer: Answer, isOwn = true): Promise<RegistryError> {
  const { status, headers } = answer
  const body = await readLimited(answer, maxErrorBytes).catch(() => Buffer.alloc(0))
  const wait = retryAfterMs(headers['retry-after'], Date.now())
  const named = isOwn ? (nameRefusal(answer) ?? nameError(status, body)) : undefined
  const kind = named?.code === 'DENIED' ? 'forbidden' : (kinds[status] ?? 'unavailable')
  const facts = {
    status,
    code: named?.code ?? '',
    said: named?.said ?? '',
    ...(wait !== undefined && { retryAfterMs: wait }),
  }
  return new RegistryError(kind, named ? wordsOf(named) : unexpected(answer, body), facts)
}

interface Named {
  readonly code: string
  readonly said: string
}

/** Docker's words: the code in lower case, then the message. */
const wordsOf = ({ code, said }: Named): string => `${code.toLowerCase().replaceAll('_', ' ')}: ${said}`

/** What the challenge says of our token counts for more than the body, as with Docker: that is the same for all. */
function nameRefusal({ status, headers }: Answer): Named | undefined {
  const refusal = status === 401 || status === 403 ? parseTokenRefusal(headers['www-authenticate']) : undefined
  if (refusal === undefined) return undefined
  const code = refusal.error === 'insufficient_scope' ? 'DENIED' : 'UNAUTHORIZED'
  return { code, said: printable(refusal.description) || wordsFor(code) }
}

const wordsFor = (code: string): string => meanings[code] ?? 'unknown error'

function nameError(status: number, body: Buffer): Named | undefined {
  const first = firstError(body)
  const code = first?.code || codeOfStatus[status]
  if (code === undefined || (first === undefined && status === 403)) return undefined
  return { code, said: first?.message || wordsFor(code) }
}

/** The first of `{"errors": [...]}`, or what token servers send: `{"details": ...}`. */
function firstError(body: Buffer): { code: string; message: string } | undefined {
  const document = parse(body) as { errors?: unknown; details?: unknown; message?: unknown } | undefined
  const errors = document?.errors
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined
  if (typeof first === 'object' && first !== null) {
    const { code, message } = first as Record<string, unknown>
    if (typeof code === 'string' && /^[A-Za-z_]{1,60}$/.test(code)) {
      return { code: code.toUpperCase(), message: typeof message === 'string' ? printable(message) : '' }
    }
  }
  const words = document?.details ?? document?.message
  return typeof words === 'string' ? { code: '', message: printable(words) } : undefined
}

function parse(body: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(body.toString())
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function unexpected({ status, headers, url }: Answer, body: Buffer): string {
  const text = `received unexpected HTTP status: ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd()
  const isPage =
    /html/i.test(headers['content-type'] ?? '') || /^\s*<(?:!doctype|html)/i.test(body.toString('latin1', 0, 200))
  return isPage ? `${text} (a web page from ${url.host}, not a registry's answer)` : text
}

/** A registry's words go to terminals and logs: nothing but text, and not much. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  const clean = text.replaceAll(/[\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]+/g, ' ').trim()
  return clean.length > longestText ? `${clean.slice(0, longestText)}...` : clean
}
