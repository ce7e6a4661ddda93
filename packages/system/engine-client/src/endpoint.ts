import { invalid } from '@berth/base'

/** Where an engine listens. */
export type Endpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly basePath: string }

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
    case 'npipe':
    case 'fd':
      throw invalid(`unable to connect to ${host}: ${scheme}:// hosts are not supported yet`)
    default:
      throw invalid(`invalid bind address format: ${host}`)
  }
}

function parseTcp(rest: string, tls: boolean, host: string): Endpoint {
  const match = /^(\[[0-9a-fA-F:.%]+\]|[^:/[\]]*)(?::(\d+))?(\/.*)?$/.exec(rest)
  const port = Number(match?.[2] ?? (tls ? tlsPort : plainPort))
  if (match === null || rest === '' || port > 65535) throw invalid(`invalid bind address format: ${host}`)
  const name = (match[1] ?? '').replace(/^\[|\]$/g, '')
  return { kind: 'tcp', host: name === '' ? '127.0.0.1' : name, port, basePath: (match[3] ?? '').replace(/\/$/, '') }
}
