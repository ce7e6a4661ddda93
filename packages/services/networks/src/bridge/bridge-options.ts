import { invalid, parseGoBool } from '@berth/base'
import { checkLinkName, type DirectFrom, type GatewayMode } from '../firewall/rules.ts'
import { isAddress } from '../ipam/subnet.ts'

export const bridgeOption = {
  name: 'com.docker.network.bridge.name',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  icc: 'com.docker.network.bridge.enable_icc',
  hostBinding: 'com.docker.network.bridge.host_binding_ipv4',
  inhibitIPv4: 'com.docker.network.bridge.inhibit_ipv4',
  isDefault: 'com.docker.network.bridge.default_bridge',
  gatewayModeIPv4: 'com.docker.network.bridge.gateway_mode_ipv4',
  gatewayModeIPv6: 'com.docker.network.bridge.gateway_mode_ipv6',
  trustedInterfaces: 'com.docker.network.bridge.trusted_host_interfaces',
  hostIPv4: 'com.docker.network.host_ipv4',
  hostIPv6: 'com.docker.network.host_ipv6',
  mtu: 'com.docker.network.driver.mtu',
  prefix: 'com.docker.network.container_iface_prefix',
} as const

/** What a bridge network's options come to. */
export interface BridgeSettings {
  /** '' leaves the choice to the engine. */
  readonly name: string
  /** 0: the kernel's default. */
  readonly mtu: number
  readonly icc: boolean
  readonly masquerade: boolean
  /** Where ports without an address are published; undefined: everywhere. */
  readonly hostBindingIPv4: string | undefined
  readonly hostIPv4: string | undefined
  readonly hostIPv6: string | undefined
  /** The bridge gets no IPv4 address. */
  readonly inhibitIPv4: boolean
  readonly gatewayModeIPv4: GatewayMode
  readonly gatewayModeIPv6: GatewayMode
  /** How interfaces inside are named: `eth`. */
  readonly prefix: string
  /** From where published ports are reached at the containers' own addresses too. */
  readonly directFrom: DirectFrom
}

type Options = Readonly<Record<string, string>>

const gatewayModes: readonly string[] = ['nat', 'nat-unprotected', 'routed', 'isolated']
const isGatewayMode = (text: string): text is GatewayMode => gatewayModes.includes(text)

/** Reads the options of the bridge driver. Throws `invalid` in Docker's words; options of other drivers are passed over. */
export function parseBridgeOptions(options: Options, isInternal: boolean): BridgeSettings {
  const name = options[bridgeOption.name] ?? ''
  return {
    name: name === '' ? '' : checkLinkName(name),
    mtu: parseMtu(options),
    icc: parseFlag(options, bridgeOption.icc, true),
    masquerade: parseFlag(options, bridgeOption.masquerade, true),
    hostBindingIPv4: parseIp(options, bridgeOption.hostBinding),
    hostIPv4: parseIp(options, bridgeOption.hostIPv4),
    hostIPv6: parseIp(options, bridgeOption.hostIPv6),
    inhibitIPv4: parseFlag(options, bridgeOption.inhibitIPv4, false),
    gatewayModeIPv4: parseGatewayMode(options, bridgeOption.gatewayModeIPv4, isInternal),
    gatewayModeIPv6: parseGatewayMode(options, bridgeOption.gatewayModeIPv6, isInternal),
    prefix: parsePrefix(options),
    directFrom: parseLinkNames(options[bridgeOption.trustedInterfaces] ?? ''),
  }
}

const complain = (label: string, value: string, reason: string) =>
  invalid(`failed to parse ${label} value: ${value} (${reason})`)

const quoted = (text: string): string => JSON.stringify(text)

export function parseFlag(options: Options, label: string, otherwise: boolean): boolean {
  const value = options[label]
  if (value === undefined) return otherwise
  const parsed = parseGoBool(value)
  if (parsed !== undefined) return parsed
  throw complain(label, value, `strconv.ParseBool: parsing ${quoted(value)}: invalid syntax`)
}

function parseMtu(options: Options): number {
  const value = options[bridgeOption.mtu]
  if (value === undefined) return 0
  if (!/^[+-]?\d{1,9}$/.test(value)) {
    throw complain(bridgeOption.mtu, value, `strconv.Atoi: parsing ${quoted(value)}: invalid syntax`)
  }
  const mtu = Number(value)
  // The kernel's bounds of a bridge; IPv4 needs 68.
  if (mtu < 0 || (mtu > 0 && mtu < 68) || mtu > 65535) throw invalid(`invalid MTU number: ${mtu}`)
  return mtu
}

function parseIp(options: Options, label: string): string | undefined {
  const value = options[label]
  if (value === undefined || value === '') return undefined
  if (!isAddress(value)) throw complain(label, value, 'nil ip')
  return value
}

function parseGatewayMode(options: Options, label: string, isInternal: boolean): GatewayMode {
  const value = options[label] ?? ''
  if (value === '') return 'nat'
  if (!isGatewayMode(value)) throw complain(label, value, `unknown gateway mode ${value}`)
  if (value === 'isolated' && !isInternal) {
    throw invalid(`gateway mode 'isolated' can only be used for an internal network`)
  }
  return value
}

/** Docker separates them by colons. */
const parseLinkNames = (text: string): string[] =>
  text
    .split(':')
    .filter((name) => name !== '')
    .map(checkLinkName)

/** A digit is to follow, and the kernel takes 15 characters. */
function parsePrefix(options: Options): string {
  const prefix = options[bridgeOption.prefix]
  if (prefix === undefined || prefix === '') return 'eth'
  if (!/^[\w.-]{1,12}$/.test(prefix)) throw invalid(`invalid ${bridgeOption.prefix}: ${quoted(prefix)}`)
  return prefix
}
