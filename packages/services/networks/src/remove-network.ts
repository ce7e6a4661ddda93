import {
  avoidsLabels,
  fault,
  type Filters,
  forbidden,
  matchesLabels,
  messageOf,
  nowNs,
  parseTimeNs,
  requireKnownFilters,
  shortId,
  untilFilterNs,
} from '@berth/base'
import { deleteBridges } from './bridge/bridge.ts'
import { announceNetwork } from './announce.ts'
import type { Context } from './context.ts'
import { isPredefined, type NetworkRecord } from './model.ts'
import { bridgeNameOf } from './plan-network.ts'

/** Removes a network in which no container is. */
export async function removeNetwork(context: Context, ref: string): Promise<void> {
  const record = context.registry.resolve(ref)
  if (isPredefined(record.name)) throw forbidden(`${record.name} is a pre-defined network and cannot be removed`)
  requireUnused(context, record)
  await removeUnused(context, record)
}

function requireUnused({ states, registry }: Context, { id, name, configOnly }: NetworkRecord): void {
  if (configOnly && registry.everything().some(({ configFrom }) => configFrom === name)) {
    throw forbidden(`error while removing network: configuration network "${name}" is in use`)
  }
  const active = states.endpointsIn(id)
  if (active.length === 0) return
  const list = active.map(({ state, endpoint }) => `name:"${state.name}" id:"${shortId(endpoint.settings.EndpointID)}"`)
  throw forbidden(`error while removing network: network ${name} has active endpoints (${list.join(', ')})`)
}

/** Hidden first, so that nobody enters; gone from the database last, so that what fails or is cut short is tried again. */
async function removeUnused(context: Context, record: NetworkRecord): Promise<void> {
  const { id } = record
  const bridge = bridgeNameOf(record)
  context.registry.hide(id)
  try {
    context.store.markHalfMade(id)
    fault('network remove: noted')
    if (bridge !== undefined && !record.keepsBridge) await deleteBridges([bridge])
    fault('network remove: unmade')
    context.store.remove(id)
  } catch (error) {
    context.registry.show(record)
    throw error
  }
  context.ipam.close(id)
  context.registry.remove(id)
  context.bridges.delete(id)
  context.parents.delete(id)
  if (bridge !== undefined) await context.updateFirewall()
  announceNetwork(context, record, 'destroy')
}

const pruneFilters = ['label', 'label!', 'until']

/** Removes every network of users' in which no container is; the names of those removed. */
export async function pruneNetworks(context: Context, filters: Filters): Promise<string[]> {
  requireKnownFilters(filters, pruneFilters)
  const untilNs = untilFilterNs(filters, nowNs())
  const unused = context.registry.all().filter((record) => isPrunable(context, record, filters, untilNs))
  const removed: string[] = []
  for (const record of unused) {
    try {
      requireUnused(context, record)
      await removeUnused(context, record)
      removed.push(record.name)
    } catch (error) {
      context.logger.warn({ network: record.name, error: messageOf(error) }, 'pruning a network')
    }
  }
  context.events.publish('network', 'prune', '', { reclaimed: '0' })
  return removed
}

function isPrunable(
  { states }: Context,
  { id, name, labels, created }: NetworkRecord,
  filters: Filters,
  untilNs: bigint | undefined,
): boolean {
  if (isPredefined(name) || states.endpointsIn(id).length > 0) return false
  if (untilNs !== undefined && (parseTimeNs(created) ?? 0n) > untilNs) return false
  return matchesLabels(labels, filters['label']) && avoidsLabels(labels, filters['label!'])
}
