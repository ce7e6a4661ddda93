import { unavailable } from '@berth/base'
import type { AuthConfig } from '@berth/engine-api'
import { answerError, RegistryError } from '../errors.ts'
import type { Outgoing } from '../http/outgoing.ts'
import { readDocument } from '../http/read-limited.ts'
import type { Answer, Transport } from '../http/transport.ts'
import type { Timeouts } from '../settings.ts'
import { basicHeader, hasPassword } from './credentials.ts'

export interface TokenRequest {
  readonly realm: URL
  readonly service: string
  readonly scopes: readonly string[]
  readonly auth: AuthConfig
  /** Asks for a refresh token too, as a login does. */
  readonly isLogin?: boolean
  readonly signal?: AbortSignal | undefined
}

export interface Token {
  readonly value: string
  readonly expiresInMs: number
  readonly refreshToken?: string
}

interface Means {
  readonly transport: Transport
  readonly timeouts: Timeouts
  readonly verifiesTls: boolean
}

const clientId = 'docker'
const maxTokenBytes = 1024 * 1024
/** What a token is good for when nothing is said (distribution spec, token authentication). */
const defaultLifeMs = 60_000

/** Asks a token server; redirects are not followed, for what is sent is for this host alone. */
export async function fetchToken(request: TokenRequest, means: Means): Promise<Token> {
  const outgoing = request.auth.identitytoken ? planRefresh(request) : planGet(request)
  const { transport, verifiesTls } = means
  const answer = await transport.send({ ...outgoing, verifiesTls, ...(request.signal && { signal: request.signal }) })
  if (answer.status < 200 || answer.status >= 300) throw await refusal(answer)
  return decodeToken(answer, means.timeouts)
}

/** https://distribution.github.io/distribution/spec/auth/token/ */
function planGet({ realm, service, scopes, auth, isLogin }: TokenRequest): Outgoing {
  const url = new URL(realm)
  if (service !== '') url.searchParams.set('service', service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  if (isLogin) {
    url.searchParams.set('offline_token', 'true')
    url.searchParams.set('client_id', clientId)
  }
  if (!hasPassword(auth)) return { method: 'GET', url }
  url.searchParams.set('account', auth.username ?? '')
  return { method: 'GET', url, headers: { Authorization: basicHeader(auth) } }
}

/** https://distribution.github.io/distribution/spec/auth/oauth/ */
function planRefresh({ realm, service, scopes, auth }: TokenRequest): Outgoing {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    service,
    client_id: clientId,
    refresh_token: auth.identitytoken ?? '',
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
  })
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
  return { method: 'POST', url: realm, headers, body: Buffer.from(form.toString()) }
}

/** Token servers say what is wrong in many ways: the status is what counts. */
async function refusal(answer: Answer): Promise<Error> {
  const error = await answerError(answer)
  const { status, said } = error.facts
  if (status >= 300 && status < 400) {
    return unavailable(`the token server ${answer.url.host} sends us elsewhere (status ${status}): not followed`)
  }
  if (status !== 401) return error
  return new RegistryError('unauthorized', `unauthorized: ${said || 'incorrect username or password'}`, error.facts)
}

async function decodeToken(answer: Answer, { documentMs }: Timeouts): Promise<Token> {
  const what = 'the token'
  const bytes = await readDocument(answer, { maxBytes: maxTokenBytes, timeoutMs: documentMs, what })
  const document = parse(bytes)
  const value = text(document['token']) ?? text(document['access_token'])
  if (value === undefined) throw unavailable('authorization server did not include a token in the response')
  const seconds = document['expires_in']
  const expiresInMs = typeof seconds === 'number' && seconds > 60 ? seconds * 1000 : defaultLifeMs
  const refreshToken = text(document['refresh_token'])
  return { value, expiresInMs, ...(refreshToken !== undefined && { refreshToken }) }
}

function parse(bytes: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Said below.
  }
  throw unavailable('unable to decode token response: it is no JSON object')
}

/** A token goes into a header: anything but visible characters would be somebody else's header. */
function text(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\u0021-\u007E]+$/.test(value) ? value : undefined
}
