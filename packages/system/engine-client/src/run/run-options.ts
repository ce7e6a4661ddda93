import type { ContainerCreateBody } from '../containers-client.ts'

/** When a container counts as started. The first that holds of several kinds is not enough: all have to. */
export interface Readiness {
  /** This TCP port inside takes connections. It is published on 127.0.0.1 if it is not yet. */
  readonly port?: number
  /** A line of its output matches. */
  readonly log?: RegExp
  /** Its health check says so. */
  readonly healthy?: boolean
  /** Default: 60,000. */
  readonly timeoutMs?: number
}

export interface RunOptions {
  readonly command?: readonly string[]
  readonly entrypoint?: readonly string[]
  readonly name?: string
  readonly env?: Readonly<Record<string, string>>
  /** Ports inside to publish: `80`, `'53/udp'`; by number on a free port of 127.0.0.1, or `{ 80: 8080 }`. */
  readonly ports?: readonly (number | string)[] | Readonly<Record<string, number | string>>
  /** `source:target[:ro]`, as -v. */
  readonly volumes?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly network?: string
  readonly user?: string
  readonly workdir?: string
  readonly memoryBytes?: number
  /** Whether to fetch the image first; default: when it is missing. */
  readonly pull?: 'always' | 'missing' | 'never'
  readonly ready?: Readiness
  /** Anything else that the Engine API takes; what stands above goes before it. */
  readonly create?: ContainerCreateBody
  readonly signal?: AbortSignal
}

/** The create that a run asks for. */
export function buildRunBody(image: string, options: RunOptions): ContainerCreateBody {
  const { create = {}, env, command, entrypoint, labels, network, user, workdir, memoryBytes, volumes } = options
  const bindings = portBindings(options)
  return {
    ...create,
    Image: image,
    ...(command === undefined ? {} : { Cmd: [...command] }),
    ...(entrypoint === undefined ? {} : { Entrypoint: [...entrypoint] }),
    ...(env === undefined ? {} : { Env: Object.entries(env).map(([name, value]) => `${name}=${value}`) }),
    ...(labels === undefined ? {} : { Labels: { ...labels } }),
    ...(user === undefined ? {} : { User: user }),
    ...(workdir === undefined ? {} : { WorkingDir: workdir }),
    ExposedPorts: { ...create.ExposedPorts, ...Object.fromEntries(Object.keys(bindings).map((port) => [port, {}])) },
    HostConfig: {
      ...create.HostConfig,
      PortBindings: { ...create.HostConfig?.PortBindings, ...bindings },
      ...(network === undefined ? {} : { NetworkMode: network }),
      ...(memoryBytes === undefined ? {} : { Memory: memoryBytes }),
      ...(volumes === undefined ? {} : { Binds: [...volumes] }),
    },
  }
}

type Bindings = Record<string, { HostIp: string; HostPort: string }[]>

function portBindings({ ports = [], ready }: RunOptions): Bindings {
  const pairs: (readonly [string, string])[] = Array.isArray(ports)
    ? (ports as readonly (number | string)[]).map((port) => [String(port), ''])
    : Object.entries(ports).map(([port, host]) => [port, String(host)])
  if (ready?.port !== undefined && !pairs.some(([port]) => withProtocol(port) === `${ready.port}/tcp`)) {
    pairs.push([String(ready.port), ''])
  }
  return Object.fromEntries(pairs.map(([port, HostPort]) => [withProtocol(port), [{ HostIp: '127.0.0.1', HostPort }]]))
}

function withProtocol(port: string): string {
  return port.includes('/') ? port : `${port}/tcp`
}
