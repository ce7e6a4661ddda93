import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type ContainerId, isKind, messageOf } from '@berth/base'
import type { EndpointSettings } from '@berth/engine-api'
import { type LinkStatistics, unpinNetns } from '@berth/linux'
import { deleteBridges } from './bridge/bridge.ts'
import type { Context, DnsDefaults } from './context.ts'
import { createNetwork } from './create-network.ts'
import { describeNetwork } from './describe-network.ts'
import { attach } from './endpoints/attach.ts'
import { connect, disconnect, finishHalfMade } from './endpoints/connect.ts'
import { detach, letGo } from './endpoints/detach.ts'
import { removeLink, updateLink } from './endpoints/links.ts'
import { checkAddressForms, checkEndpoint } from './endpoints/check-endpoint.ts'
import { checkJoin } from './endpoints/check-join.ts'
import { inConfig } from './endpoints/plan-attachment.ts'
import { rename } from './endpoints/rename.ts'
import type { NetworkRecord } from './model.ts'
import { readCounters } from './endpoints/sandbox.ts'
import { foreignDropWarnings } from './firewall/foreign-drops.ts'
import type { AttachRequest, InterfaceCounters, Networks } from './networks.ts'
import { type NetworksOptions, openContext } from './open-context.ts'
import { bridgeNameOf } from './plan-network.ts'
import { pruneNetworks, removeNetwork } from './remove-network.ts'

export type { NetworksOptions }

const counterNames = {
  rxBytes: 'rx_bytes',
  rxPackets: 'rx_packets',
  rxErrors: 'rx_errors',
  rxDropped: 'rx_dropped',
  txBytes: 'tx_bytes',
  txPackets: 'tx_packets',
  txErrors: 'tx_errors',
  txDropped: 'tx_dropped',
} as const satisfies Record<keyof LinkStatistics, keyof InterfaceCounters>

/**
 * Opens the networks: bridges and the firewall's table come to be, or are found as an earlier process left them, with
 * the sandboxes of its containers. Disposing leaves all that running containers need, and nothing when there are none.
 */
export async function openNetworks(options: NetworksOptions): Promise<Networks> {
  const context = await openContext(options)
  const { registry, states } = context
  return {
    attach: (request) =>
      change(context, request.containerId, () => attach(context, withDefaults(context.dns, request))),
    detach: (id) => change(context, id, () => detach(context, id)),
    connect: (request) => change(context, request.containerId, () => connect(context, request)),
    disconnect: (request) => change(context, request.containerId, () => disconnect(context, request)),
    checkMember: (network, settings, others) => checkMember(registry.resolve(network), settings, others),
    checkConfig: (network, settings) => inConfig(network, () => checkConfig(context, network, settings)),
    rename: (id, name) => rename(context, id, name),
    updateLink: (id, link) => updateLink(context, id, link),
    removeLink: (id, alias) => removeLink(context, id, alias),
    counters: async (id) => counters(context, id),
    reconcile: (alive) => reconcile(context, new Set(alive)),
    warnings: () => foreignDropWarnings([...context.bridges.values()].map(({ name }) => name)),
    strayPins: () => strayPins(context),
    attachment: (id) => states.get(id)?.attachment,
    create: (request) => createNetwork(context, request),
    get: (ref) => registry.resolve(ref),
    describe: (ref) => describeNetwork(context, registry.resolve(ref)),
    list: () => registry.all().map((record) => describeNetwork(context, record)),
    remove: (ref) => removeNetwork(context, ref),
    prune: (filters) => pruneNetworks(context, filters),
    [Symbol.asyncDispose]: () => close(context),
  }
}

/** One change of a container at a time; the ports that it gives back are free afterwards. */
function change<T>({ locks, ports }: Context, id: ContainerId, work: () => T | Promise<T>): Promise<T> {
  return locks.run(id, async () => {
    try {
      return await work()
    } finally {
      await ports.settle()
    }
  })
}

function withDefaults(dns: DnsDefaults, request: AttachRequest): AttachRequest {
  return {
    ...request,
    dns: request.dns.length > 0 ? request.dns : dns.servers,
    dnsOptions: request.dnsOptions.length > 0 ? request.dnsOptions : dns.options,
    dnsSearch: request.dnsSearch.length > 0 ? request.dnsSearch : dns.search,
  }
}

function checkMember(record: NetworkRecord, settings: EndpointSettings, others: readonly string[]): void {
  checkEndpoint(record, settings)
  checkJoin(record, others)
}

function checkConfig({ registry }: Context, network: string, settings: EndpointSettings): void {
  try {
    checkEndpoint(registry.resolve(network), settings)
  } catch (error) {
    if (!isKind(error, 'notFound') && !isKind(error, 'forbidden')) throw error
    checkAddressForms(settings)
  }
}

/** Drops the sandboxes of containers that are no more, pins that no sandbox knows, and what was half made. */
async function reconcile(context: Context, alive: ReadonlySet<ContainerId>): Promise<void> {
  for (const state of context.states.all()) {
    if (alive.has(state.containerId)) await context.locks.run(state.containerId, () => finishHalfMade(context, state))
    else await letGo(context, state)
  }
  for (const pin of strayPins(context)) await unpinNetns(pin)
  await context.ports.settle()
}

function strayPins({ states, pinDirectory }: Context): string[] {
  const known = new Set(states.all().map(({ pin }) => pin))
  return readdirSync(pinDirectory)
    .map((name) => join(pinDirectory, name))
    .filter((pin) => !known.has(pin))
}

function counters({ states }: Context, id: ContainerId): Record<string, InterfaceCounters> {
  const state = states.staying(id)
  const pin = state?.pin ?? (state?.sharedWith === undefined ? undefined : states.staying(state.sharedWith)?.pin)
  if (pin === undefined) return {}
  return Object.fromEntries([...readCounters(pin)].map(([name, statistics]) => [name, toCounters(statistics)]))
}

function toCounters(statistics: LinkStatistics): InterfaceCounters {
  const names = Object.entries(counterNames) as [keyof LinkStatistics, keyof InterfaceCounters][]
  return Object.fromEntries(names.map(([from, to]) => [to, statistics[from]])) as unknown as InterfaceCounters
}

/** Lets go of this process's sockets, and of the bridges and the table when no container needs them. */
async function close({ states, ports, firewall, links, registry, logger, resolvers }: Context): Promise<void> {
  ports[Symbol.dispose]()
  resolvers[Symbol.dispose]()
  try {
    if (states.all().length === 0) {
      await firewall.remove()
      await deleteBridges(registry.all().flatMap((one) => (one.keepsBridge ? [] : (bridgeNameOf(one) ?? []))))
    }
  } catch (error) {
    logger.warn({ error: messageOf(error) }, 'the bridges could not be removed')
  } finally {
    await firewall[Symbol.asyncDispose]()
    links[Symbol.dispose]()
  }
}
