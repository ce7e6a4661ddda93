import { invalid } from '@berth/base'

/** Where an engine listens. */
export type Endpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly basePath: string }
  | { readonly kind: 'ssh'; readonly destination: string; readonly port?: number; readonly socket?: string }

export const defaultHost = 'unix:///run/berth/berth.sock'

const plainPort = 2375
const tlsPort = 2376

/** Parses a `-H` value as docker does; throws an `invalid` EngineError that names it. */
export function parseHost(host: string, tls = false): Endpoint {
  const text = host.trim()
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//.exec(text)?.[1]
  const rest = scheme === undefined ? text : text.slice(scheme.length + 3)
  switch (scheme) {
    case undefined:
    case 'tcp':
    case 'http':
    case 'https':
      return parseTcp(rest, tls || scheme === 'https', host)
    case 'unix':
      if (rest === '') return parseHost(defaultHost)
      return { kind: 'unix', path: rest }
    case 'ssh':
      return parseSsh(rest, host)
    case 'npipe':
    case 'fd':
      throw invalid(`unable to connect to ${host}: ${scheme}:// hosts are not supported yet`)
    default:
      throw invalid(`invalid bind address format: ${host}`)
  }
}

/** `[user@]host[:port][/path/to/socket]`; a password, a query or a fragment is refused. */
function parseSsh(rest: string, host: string): Endpoint {
  const match = /^(?:([^@/:?#]+)@)?(\[[0-9a-fA-F:.%]+\]|[^@:/?#[\]]+)(?::(\d{1,5}))?(\/[^?#]*)?$/.exec(rest)
  const [user, name] = [match?.[1], (match?.[2] ?? '').replace(/^\[|\]$/g, '')]
  const port = match?.[3] === undefined ? undefined : Number(match[3])
  const dashed = name.startsWith('-') || user?.startsWith('-') === true
  if (match === null || dashed || (port ?? 0) > 65535) throw invalid(`invalid ssh URL: ${host}`)
  const socket = match[4] === undefined || match[4] === '/' ? undefined : match[4]
  return {
    kind: 'ssh',
    destination: user === undefined ? name : `${user}@${name}`,
    ...(port === undefined ? {} : { port }),
    ...(socket === undefined ? {} : { socket }),
  }
}

function parseTcp(rest: string, tls: boolean, host: string): Endpoint {
  const match = /^(\[[0-9a-fA-F:.%]+\]|[^:/[\]]*)(?::(\d+))?(\/.*)?$/.exec(rest)
  const port = Number(match?.[2] ?? (tls ? tlsPort : plainPort))
  if (match === null || rest === '' || port > 65535) throw invalid(`invalid bind address format: ${host}`)
  const name = (match[1] ?? '').replace(/^\[|\]$/g, '')
  return { kind: 'tcp', host: name === '' ? '127.0.0.1' : name, port, basePath: (match[3] ?? '').replace(/\/$/, '') }
}

/** The endpoint as a user writes it. */
export function formatEndpoint(endpoint: Endpoint): string {
  switch (endpoint.kind) {
    case 'unix':
      return `unix://${endpoint.path}`
    case 'tcp':
      return `tcp://${endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}${endpoint.basePath}`
    case 'ssh':
      return `ssh://${endpoint.destination}${endpoint.port === undefined ? '' : `:${endpoint.port}`}${endpoint.socket ?? ''}`
  }
}
