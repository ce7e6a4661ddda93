import { parseHost } from './endpoint.ts'
import { EngineClient } from './engine-client.ts'
import type { TransportOptions } from './transport.ts'

export interface OpenEngineOptions extends Partial<Omit<TransportOptions, 'endpoint'>> {
  /** `unix:///run/berth/berth.sock`, `tcp://host:2376`, `ssh://user@host`; default: BERTH_HOST, DOCKER_HOST, the local engine. */
  readonly host?: string
}

/** A client of the engine that the options or the environment name. Connections open when they are needed. */
export function openEngine({ host, ...options }: OpenEngineOptions = {}): EngineClient {
  const named = host ?? process.env['BERTH_HOST'] ?? process.env['DOCKER_HOST'] ?? ''
  return new EngineClient({
    ...options,
    endpoint: parseHost(named === '' ? 'unix://' : named, options.tls !== undefined),
  })
}
