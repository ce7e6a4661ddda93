import { type NetworkId, type Logger } from '@berth/base'
import { type Bridge, ensureBridge, setForwarding } from './bridge/bridge.ts'
import { type BridgeSettings, parseBridgeOptions } from './bridge/bridge-options.ts'
import { poolsOf } from './ipam/plan-pools.ts'
import { parseSubnet } from './ipam/subnet.ts'
import type { NetworkRecord } from './model.ts'
import type { FamilyRules, NetworkRules } from './firewall/rules.ts'
import { bridgeNameOf } from './plan-network.ts'

/** A network's bridge with what its options say. */
export interface OpenBridge extends Bridge {
  readonly settings: BridgeSettings
  /** Bytes; 0: the kernel's default. */
  readonly mtu: number
}

export interface BridgeContext {
  readonly logger: Logger
  readonly bridges: Map<NetworkId, OpenBridge>
  readonly ipForward: boolean
  /** Published ports of all networks are reached at the containers' own addresses too. */
  readonly allowDirectRouting: boolean
  /** The families that the engine filters and translates. */
  readonly managed: readonly (4 | 6)[]
}

/** Brings a network's bridge to be as its record says. */
export async function openBridge(context: BridgeContext, record: NetworkRecord): Promise<{ isNew: boolean }> {
  const own = parseBridgeOptions(record.options, record.internal)
  const settings: BridgeSettings = context.allowDirectRouting ? { ...own, directFrom: 'anywhere' } : own
  const name = bridgeNameOf(record)
  if (name === undefined) throw new Error(`the network ${record.name} has no bridge`)
  const { index, isNew } = await ensureBridge({
    name,
    mtu: settings.mtu,
    addresses: bridgeAddresses(record, settings),
    hasIPv6: record.enableIPv6,
  })
  context.bridges.set(record.id, { index, name, settings, mtu: settings.mtu })
  const { enableIPv4: hasIPv4, enableIPv6: hasIPv6 } = record
  if (!record.internal) {
    const servesLoopback = hasIPv4 && context.managed.includes(4)
    const { ipForward, logger } = context
    setForwarding({ bridge: name, hasIPv4, hasIPv6, servesLoopback, ipForward }, logger)
  }
  return { isNew }
}

/** The gateways; where the host shall have no part in the network, none. */
function bridgeAddresses({ pools }: NetworkRecord, settings: BridgeSettings) {
  return ([4, 6] as const).flatMap((family) => {
    if (hasNoHostAddress(settings, family)) return []
    return poolsOf(pools, family).flatMap(({ gateway, subnet }) =>
      gateway === undefined ? [] : [{ address: gateway, prefixLength: parseSubnet(subnet).prefixLength }],
    )
  })
}

function hasNoHostAddress(settings: BridgeSettings, family: 4 | 6): boolean {
  const mode = family === 4 ? settings.gatewayModeIPv4 : settings.gatewayModeIPv6
  return mode === 'isolated' || (family === 4 && settings.inhibitIPv4)
}

/** What the firewall is to do for a bridge network. */
export function networkRules(record: NetworkRecord, { name, settings }: OpenBridge): NetworkRules {
  const { masquerade, icc, directFrom } = settings
  return {
    bridge: name,
    ...(record.enableIPv4
      ? {
          ipv4: familyRules(record, 4, {
            gatewayMode: settings.gatewayModeIPv4,
            masquerade,
            hostAddress: settings.hostIPv4,
          }),
        }
      : {}),
    ...(record.enableIPv6
      ? {
          ipv6: familyRules(record, 6, {
            gatewayMode: settings.gatewayModeIPv6,
            masquerade,
            hostAddress: settings.hostIPv6,
          }),
        }
      : {}),
    icc,
    isInternal: record.internal,
    directFrom,
  }
}

const familyRules = ({ pools }: NetworkRecord, family: 4 | 6, rules: Omit<FamilyRules, 'subnets'>): FamilyRules => ({
  ...rules,
  subnets: poolsOf(pools, family).map(({ subnet }) => subnet),
})
