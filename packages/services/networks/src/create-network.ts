import { fault, type NetworkId, Undo } from '@berth/base'
import type { NetworkCreateRequest } from '@berth/engine-api'
import { deleteBridges, hasLink } from './bridge/bridge.ts'
import { openBridge } from './bridges.ts'
import type { Context } from './context.ts'
import { checkStacked, findParent, isStacked, parentNameOf } from './drivers/stacked.ts'
import { announceNetwork } from './announce.ts'
import { bridgeNameOf, planNetwork, subnetsOf } from './plan-network.ts'
import type { NetworkRecord } from './model.ts'

/** Makes a network: decided and claimed at once, then the kernel's part; all or nothing. */
export async function createNetwork(context: Context, request: NetworkCreateRequest): Promise<NetworkId> {
  const record = claim(context, request)
  const { id } = record
  await using undo = new Undo((what, error) => context.logger.warn({ id, error }, `undoing a network: ${what}`))
  undo.defer('claim', () => forget(context, record))
  const keepsBridge = isBridgeThere(record)
  // Recorded as half made first: who is killed from here on leaves a row that the next start takes away.
  context.store.insert({ ...record, keepsBridge }, { isHalfMade: true })
  fault('network create: noted')
  undo.defer('record', () => context.store.remove(id))
  await makeBridge(context, { ...record, keepsBridge }, undo)
  fault('network create: made')
  context.store.finish(id)
  undo.commit()
  context.registry.show({ ...record, keepsBridge })
  announceNetwork(context, record, 'create')
  return id
}

/** From the look at what is free to the taking of it nothing else runs. */
function claim(context: Context, request: NetworkCreateRequest): NetworkRecord {
  const { registry, ipam, defaultOptions } = context
  const record = planNetwork(request, {
    networks: registry.everything(),
    defaultOptions,
    choose: (family, besides) => ipam.choose(family, besides),
  })
  checkStacked(record, registry.everything())
  ipam.requireFree(subnetsOf(record), bridgeNameOf(record) ?? parentNameOf(record))
  ipam.open(record.id, record.pools)
  registry.hideNew(record)
  return record
}

function forget({ ipam, registry, bridges, parents }: Context, { id }: NetworkRecord): void {
  ipam.close(id)
  registry.remove(id)
  bridges.delete(id)
  parents.delete(id)
}

function isBridgeThere(record: NetworkRecord): boolean {
  const name = bridgeNameOf(record)
  return name !== undefined && hasLink(name)
}

async function makeBridge(context: Context, record: NetworkRecord, undo: Undo): Promise<void> {
  if (isStacked(record)) context.parents.set(record.id, findParent(record))
  const name = bridgeNameOf(record)
  if (name === undefined) return
  if (!record.keepsBridge) undo.defer('bridge', () => deleteBridges([name]))
  await openBridge(context, record)
  undo.defer('firewall', () => context.updateFirewall())
  await context.updateFirewall()
}
