import { certificateProblem, codeOf, EngineError, messageOf, tlsAlert } from '@berth/base'
import { STATUS_CODES } from 'node:http'

interface Failed {
  readonly syscall?: string
  readonly address?: string
  readonly port?: number
  readonly hostname?: string
  /** Of a proxy that was asked for a tunnel. */
  readonly statusCode?: number
}

/** A request in an error, as Go tells it. A query may hold a token or a signature; what is searched for is no secret. */
function shown(method: string, url: URL): string {
  // For what a registry serves its root stands, as clients know it.
  if (url.pathname.startsWith('/v2/')) return `Get "${url.origin}/v2/"`
  const query = url.pathname === searchPath ? url.search : ''
  return `${method === 'POST' ? 'Post' : 'Get'} "${url.origin}${url.pathname}${query}"`
}

/** Of registries' first protocol. */
export const searchPath = '/v1/search'

/**
 * A failure to reach a registry, in the words that Docker's users know: `Get "https://host/v2/": dial tcp ...`. `proxy` is the
 * URL of the one that was on the way.
 */
export function connectionError(method: string, url: URL, error: unknown, proxy?: string): UnreachedError {
  const reason = (proxy === undefined ? undefined : proxyReason(url, error, proxy)) ?? reasonOf(url, error)
  return new UnreachedError(`${shown(method, url)}: ${reason}`, error)
}

/** What a proxy says of itself when it serves only whom it knows (RFC 9110, 15.5.8). */
export const proxyWantsCredentials = 407

/** A proxy's refusal; without what its URL has of secrets. */
export function proxyRefusal(method: string, url: URL, proxy: string, status: number): UnreachedError {
  const message = `${shown(method, url)}: ${refusalOf(proxy, status)}`
  return new UnreachedError(message, undefined)
}

const refusalOf = (proxy: string, status: number): string =>
  `the proxy ${new URL(proxy).host} refuses: ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd()

/** What failed on the way to the proxy or at it; undefined: behind it. */
function proxyReason(url: URL, error: unknown, proxy: string): string | undefined {
  const failed = firstOf(error)
  const { syscall, statusCode } = failed as Failed
  if (codeOf(failed) === 'ERR_PROXY_TUNNEL') {
    return statusCode === undefined ? 'proxyconnect tcp: i/o timeout' : refusalOf(proxy, statusCode)
  }
  return syscall === 'connect' || syscall === 'getaddrinfo' ? `proxyconnect tcp: ${reasonOf(url, error)}` : undefined
}

/** There was no answer: nobody was reached, or not in the way that was tried. */
export class UnreachedError extends EngineError {
  constructor(message: string, cause: unknown) {
    super('unavailable', message, { cause })
  }
}

/** Why there was no answer, though somebody may have been reached. */
export const silence = 'timeout awaiting response headers'

export const isSilence = (error: unknown): boolean =>
  error instanceof UnreachedError && error.message.endsWith(`: ${silence}`)

const plainReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
}

function reasonOf(url: URL, error: unknown): string {
  const failed = firstOf(error)
  const code = codeOf(failed) ?? ''
  const { syscall, address, port, hostname } = failed as Failed
  if (syscall === 'getaddrinfo') {
    return `dial tcp: lookup ${hostname}: ${code === 'ENOTFOUND' ? 'no such host' : 'temporary failure in name resolution'}`
  }
  const place = address === undefined ? url.host : joinHostPort(address, port)
  if (syscall === 'connect' && plainReasons[code]) return `dial tcp ${place}: ${plainReasons[code]}`
  if (code === 'ECONNRESET') return 'EOF'
  const alert = tlsAlert(failed)
  if (alert !== undefined) return alert
  if (code.startsWith('ERR_SSL') || code === 'EPROTO')
    return isPlainHttp(failed) ? 'http: server gave HTTP response to HTTPS client' : `tls: ${messageOf(failed)}`
  return certificateProblem(failed, url.hostname) ?? messageOf(failed)
}

const joinHostPort = (address: string, port = 0): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

/** Happy eyeballs tries several addresses: the first failure speaks for all. */
function firstOf(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? (error.errors[0] as unknown) : error
}

export function isPlainHttp(error: unknown): boolean {
  return ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'EPROTO'].includes(codeOf(error) ?? '')
}
