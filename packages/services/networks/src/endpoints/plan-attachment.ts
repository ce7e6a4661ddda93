import { conflict, EngineError, invalid, messageOf, notFound } from '@berth/base'
import { emptyEndpoint, type EndpointSettings } from '@berth/engine-api'
import { formatMac, parseAddress } from '@berth/linux'
import { parseExtraHost } from '../files/hosts-file.ts'
import { toNumber } from '../ipam/subnet.ts'
import type { NetworkRecord } from '../model.ts'
import type { AttachRequest } from '../networks.ts'
import { planPorts } from '../ports/plan-ports.ts'
import type { NetworkRegistry } from '../registry.ts'
import { checkEndpoint } from './check-endpoint.ts'
import { privateMode } from './check-join.ts'
import { compareCandidates } from './gateways.ts'
import { candidateOf } from './routes.ts'

export interface PlannedEndpoint {
  readonly record: NetworkRecord
  readonly asked: EndpointSettings
}

/** What a request comes to, before anything is taken. */
export interface AttachPlan {
  /** In the order of their interfaces: the way out first. */
  readonly endpoints: readonly PlannedEndpoint[]
  readonly isHost: boolean
  /** [name, address] */
  readonly extraHosts: readonly (readonly [string, string])[]
}

export interface AttachDefaults {
  readonly registry: Pick<NetworkRegistry, 'byId' | 'resolve'>
  /** What `host-gateway` stands for. */
  readonly hostGateways: readonly string[]
}

/** Decides what is wanted; raises all that is wrong with the request. */
export function planAttachment(request: AttachRequest, { registry, hostGateways }: AttachDefaults): AttachPlan {
  const endpoints = Object.entries(askedEndpoints(request)).map(([name, asked]) => {
    return { record: findNetwork(registry, name, asked), asked }
  })
  checkTogether(endpoints.map(({ record }) => record))
  for (const { record, asked } of endpoints) inConfig(record.name, () => checkEndpoint(record, asked))
  // Raises what is malformed before anything is taken.
  planPorts(request.portBindings)
  return {
    endpoints: endpoints.toSorted((a, b) =>
      compareCandidates(candidateOf(a.record, a.asked), candidateOf(b.record, b.asked)),
    ),
    isHost: endpoints.some(({ record }) => record.driver === 'host'),
    extraHosts: request.extraHosts.flatMap((text) => planExtraHost(text, hostGateways)),
  }
}

function askedEndpoints({ mode: asked, endpoints }: AttachRequest): Record<string, EndpointSettings> {
  const mode = asked === 'default' ? 'bridge' : asked
  const { default: byDefault, ...named } = endpoints
  const all = byDefault ? { bridge: byDefault, ...named } : named
  return Object.keys(all).length > 0 || mode === '' ? all : { [mode]: emptyEndpoint() }
}

/** The network that the container was in before, even where another has its name now. */
function findNetwork(
  registry: AttachDefaults['registry'],
  name: string,
  { NetworkID }: EndpointSettings,
): NetworkRecord {
  if (NetworkID === '') return registry.resolve(name)
  const record = registry.byId(NetworkID)
  if (!record) throw notFound(`network ${NetworkID} not found`)
  return record
}

const alone = (driver: string): boolean => driver === 'host' || driver === 'null'

function checkTogether(records: readonly NetworkRecord[]): void {
  if (records.length < 2 || !records.some(({ driver }) => alone(driver))) return
  if (records.some(({ driver }) => driver === 'null')) throw conflict(privateMode)
  const names = records.map(({ name }) => name)
  throw conflict(
    `container cannot be connected to host and ${names.filter((name) => name !== 'host').join(', ')} networks`,
  )
}

/** Docker names the network where there is more than one to choose from. */
export function inConfig(network: string, check: () => void): void {
  try {
    check()
  } catch (error) {
    if (!(error instanceof EngineError) || error.kind !== 'invalid') throw error
    throw invalid(`invalid config for network ${network}: ${messageOf(error)}`, error)
  }
}

function planExtraHost(text: string, hostGateways: readonly string[]): (readonly [string, string])[] {
  const host = parseExtraHost(text)
  if (!host) throw invalid(`invalid extra host: ${text}`)
  if (host[1] !== 'host-gateway') return [[host[0], checkAddress(host[1], text)]]
  if (hostGateways.length === 0) throw invalid('unable to derive the IP value for host-gateway')
  return hostGateways.map((address) => [host[0], address] as const)
}

function checkAddress(address: string, text: string): string {
  try {
    parseAddress(address)
    return address
  } catch (error) {
    throw invalid(`invalid IP address in add-host: ${text}`, error)
  }
}

/** A MAC address that follows from the IP address, so that none is twice on a bridge. */
export function macOf(address: string): string {
  const low = Number(toNumber(address) & 0xffff_ffffn)
  return formatMac([0x02, 0x42, low >>> 24, (low >>> 16) & 255, (low >>> 8) & 255, low & 255])
}
