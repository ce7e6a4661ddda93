import { conflict, invalid, notFound, randomId } from '@berth/base'
import { emptyEndpoint, type EndpointSettings } from '@berth/engine-api'
import { formatMac, parseAddress, parseMac } from '@berth/linux'
import { parseExtraHost } from '../files/hosts-file.ts'
import type { AttachRequest } from '../networks.ts'
import { planPorts, type WantedPort } from '../ports/plan-ports.ts'
import { type PredefinedName, predefinedNames } from '../store.ts'
import { toNumber } from '../ipam/subnet.ts'

/** What a request comes to, before anything is taken. */
export interface AttachPlan {
  readonly mode: PredefinedName
  readonly endpoint: EndpointSettings
  readonly sandboxId: string
  /** [name, address] */
  readonly extraHosts: readonly (readonly [string, string])[]
  readonly ports: readonly WantedPort[]
}

export interface AttachDefaults {
  /** What `host-gateway` stands for. */
  readonly hostGateway: string | undefined
  /** The address of published ports for which none is asked. */
  readonly bindingIp: string
}

/** Decides what is wanted; raises all that is wrong with the request. */
export function planAttachment(request: AttachRequest, { hostGateway, bindingIp }: AttachDefaults): AttachPlan {
  const mode = planMode(request)
  const wanted = request.endpoints[mode] ?? request.endpoints['default'] ?? emptyEndpoint()
  if (mode === 'bridge') checkDefaultBridge(wanted)
  return {
    mode,
    endpoint: { ...wanted, EndpointID: randomId() },
    sandboxId: randomId(),
    extraHosts: request.extraHosts.map((text) => planExtraHost(text, hostGateway)),
    // Docker discards them in the other modes, and the client says so.
    ports: mode === 'bridge' ? planPorts(request.portBindings, bindingIp) : [],
  }
}

const isPredefined = (name: string): name is PredefinedName => (predefinedNames as readonly string[]).includes(name)

function planMode({ mode: asked, endpoints }: AttachRequest): PredefinedName {
  const mode = asked === 'default' || asked === '' ? 'bridge' : asked
  for (const name of [mode, ...Object.keys(endpoints)]) {
    if (name !== 'default' && !isPredefined(name)) throw notFound(`network ${name} not found`)
  }
  const others = Object.keys(endpoints).filter((name) => name !== mode && name !== 'default')
  if (others.length > 0) throw conflict(`container cannot be connected to ${mode} and ${others.join(', ')} networks`)
  return mode as PredefinedName
}

function checkDefaultBridge({ IPAMConfig, Aliases, MacAddress }: EndpointSettings): void {
  const complaints = [
    ...(IPAMConfig?.IPv4Address || IPAMConfig?.IPv6Address
      ? ['user specified IP address is supported on user defined networks only']
      : []),
    ...(Aliases && Aliases.length > 0 ? ['network-scoped aliases are only supported for user-defined networks'] : []),
    ...(MacAddress && !isMac(MacAddress) ? [`invalid MAC address: ${MacAddress}`] : []),
  ]
  if (complaints.length === 0) return
  const list = complaints.map((complaint) => `\n* ${complaint}`).join('')
  throw invalid(`invalid config for network bridge: invalid endpoint settings:${list}`)
}

function isMac(text: string): boolean {
  try {
    return parseMac(text).length === 6
  } catch {
    return false
  }
}

function planExtraHost(text: string, hostGateway: string | undefined): readonly [string, string] {
  const host = parseExtraHost(text)
  if (!host) throw invalid(`invalid extra host: ${text}`)
  if (host[1] !== 'host-gateway') return [host[0], checkAddress(host[1], text)]
  if (hostGateway === undefined) throw invalid('unable to derive the IP value for host-gateway')
  return [host[0], hostGateway]
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
  const number = toNumber(address)
  return formatMac([0x02, 0x42, number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255])
}
