import { invalid, notImplemented } from '@berth/base'
import type { BuildRequest } from '@berth/builder'
import { boolParameter, intParameter, parseJson } from '@berth/engine-api'

/** `POST /build` before its context is there. */
export interface DecodedBuild extends Omit<BuildRequest, 'contextDirectory' | 'dockerfile' | 'credentials'> {
  /** Path of the Dockerfile in the context. */
  readonly file: string
  /** '' is the request's body. */
  readonly remote: string
  readonly isQuiet: boolean
  readonly pulls: boolean
  /** Images whose layers may be used; none is no restriction. */
  readonly cacheFrom: readonly string[]
}

const defaultShmBytes = 64 << 20

/** Reads the parameters; refuses what the builder does not do rather than to ignore it. */
export function decodeBuild(query: URLSearchParams): DecodedBuild {
  refuseUnsupported(query)
  return {
    tags: query.getAll('t').filter(Boolean),
    args: decodeArgs(query),
    labels: decodeLabels(query),
    target: query.get('target') ?? '',
    platform: query.get('platform') ?? '',
    noCache: boolParameter(query, 'nocache'),
    style: 'classic',
    isSquashed: boolParameter(query, 'squash'),
    contexts: new Map(),
    entitlements: ['network.host'],
    file: query.get('dockerfile') || 'Dockerfile',
    remote: query.get('remote') ?? '',
    isQuiet: boolParameter(query, 'q'),
    pulls: boolParameter(query, 'pull'),
    cacheFrom: strings(query, 'cachefrom'),
    run: {
      network: query.get('networkmode') || 'default',
      extraHosts: extraHosts(query),
      shmSizeBytes: intParameter(query, 'shmsize') || defaultShmBytes,
      ulimits: decodeUlimits(query),
      cgroupParent: query.get('cgroupparent') ?? '',
      resources: decodeResources(query),
    },
  }
}

function refuseUnsupported(query: URLSearchParams): void {
  const version = query.get('version') ?? '1'
  if (version === '2')
    throw notImplemented(
      'POST /build is the classic builder’s: builds with BuildKit go over /grpc and /session, as buildx does them',
    )
  if (version !== '1' && version !== '') throw invalid(`invalid version ${JSON.stringify(version)}`)
  if (query.get('outputs')) throw notImplemented('outputs of a build need BuildKit')
  if (query.get('isolation')) throw invalid('isolation is only supported on Windows')
  if (strings(query, 'securityopt').length > 0) {
    throw invalid('The daemon on this platform does not support setting security options on build')
  }
}

function json(query: URLSearchParams, name: string, what: string): unknown {
  const text = query.get(name)
  if (!text) return undefined
  try {
    return parseJson(text)
  } catch (error) {
    throw invalid(`error reading ${what}: ${(error as Error).message}`, error)
  }
}

function decodeArgs(query: URLSearchParams): Record<string, string | undefined> {
  const value = record(json(query, 'buildargs', 'build args'), 'build args')
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, text ?? undefined]))
}

function decodeLabels(query: URLSearchParams): Record<string, string> {
  const value = record(json(query, 'labels', 'labels'), 'labels')
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, text ?? '']))
}

function record(value: unknown, what: string): Record<string, string | null> {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid(`error reading ${what}: not an object`)
  for (const [name, text] of Object.entries(value)) {
    if (text !== null && typeof text !== 'string') throw invalid(`error reading ${what}: ${name} is no string`)
  }
  return value as Record<string, string | null>
}

/** A JSON list of strings. */
function strings(query: URLSearchParams, name: string): string[] {
  const value = json(query, name, name)
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) {
    throw invalid(`error reading ${name}: not a list of strings`)
  }
  return value as string[]
}

/** Repeated, or one JSON list, as some clients send it. */
function extraHosts(query: URLSearchParams): string[] {
  const all = query.getAll('extrahosts').filter(Boolean)
  return all.length === 1 && all[0]?.startsWith('[') ? strings(query, 'extrahosts') : all
}

function decodeUlimits(query: URLSearchParams): BuildRequest['run']['ulimits'] {
  const value = json(query, 'ulimits', 'ulimit settings')
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw invalid('error reading ulimit settings: not a list')
  return value.map((one: unknown) => {
    const { Name, Soft, Hard } = (one ?? {}) as Record<string, unknown>
    if (typeof Name !== 'string' || typeof Soft !== 'number' || typeof Hard !== 'number') {
      throw invalid('error reading ulimit settings: Name, Soft and Hard are required')
    }
    return { name: Name, soft: Soft, hard: Hard }
  })
}

function decodeResources(query: URLSearchParams): BuildRequest['run']['resources'] {
  const [limit, swap] = [intParameter(query, 'memory'), intParameter(query, 'memswap')]
  const memory = { ...(limit && { limit }), ...(swap && { swap }) }
  const [shares, period, quota] = ['cpushares', 'cpuperiod', 'cpuquota'].map((name) => intParameter(query, name))
  const [cpus, mems] = [query.get('cpusetcpus'), query.get('cpusetmems')]
  const cpu = {
    ...(shares && { shares }),
    ...(period && { period }),
    ...(quota && { quota }),
    ...(cpus && { cpus }),
    ...(mems && { mems }),
  }
  return {
    ...(Object.keys(memory).length > 0 && { memory }),
    ...(Object.keys(cpu).length > 0 && { cpu }),
  }
}
