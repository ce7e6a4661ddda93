import { type ContainerId, isKind } from '@berth/base'
import { readStats, statsDocument, type StatsSample } from '@berth/runtime'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Containers, StatsDocument } from './containers.ts'
import type { Context } from './context.ts'
import { cgroupsPath } from './spec-input.ts'
import { isAlive } from './stop.ts'

const intervalMs = 1000

/** One document, or one a second until `signal` or the container's removal; zeros while it does not run. */
export function streamStats(
  context: Context,
  ref: string,
  options: Parameters<Containers['stats']>[1],
): AsyncIterable<StatsDocument> {
  const { id } = context.registry.resolve(ref)
  return documents(context, id, options)
}

async function* documents(
  context: Context,
  id: ContainerId,
  { stream, oneShot, signal }: Parameters<Containers['stats']>[1],
): AsyncGenerator<StatsDocument> {
  let previous = stream || oneShot || !isRunning(context, id) ? undefined : await sample(context, id)
  if (previous) await pause(signal)
  while (!signal.aborted && context.registry.byId(id)) {
    const current = await sample(context, id)
    yield await describe(context, id, current, previous)
    if (!stream) return
    previous = current
    await pause(signal)
  }
}

const isRunning = (context: Context, id: ContainerId): boolean => {
  const container = context.registry.byId(id)
  return container !== undefined && isAlive(container)
}

async function sample(context: Context, id: ContainerId): Promise<StatsSample | undefined> {
  const container = context.registry.byId(id)
  return container && isAlive(container) ? await readStats(cgroupsPath(context, container)) : undefined
}

async function describe(
  context: Context,
  id: ContainerId,
  current: StatsSample | undefined,
  previous: StatsSample | undefined,
) {
  const name = `/${context.registry.byId(id)?.name ?? ''}`
  const networks = current && (await counters(context, id))
  return statsDocument({ id, name }, current, { previous, networks }) as unknown as StatsDocument
}

/** Absent for a container that ends meanwhile. */
async function counters(context: Context, id: ContainerId) {
  try {
    return await context.networks.counters(id)
  } catch (error) {
    if (isKind(error, 'notFound')) return undefined
    throw error
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  await sleep(intervalMs, undefined, { signal }).catch(() => undefined)
}
