import {
  avoidsLabels,
  type ContainerId,
  type Filters,
  isKind,
  matchesLabels,
  nowNs,
  parseTimeNs,
  requireKnownFilters,
  untilFilterNs,
} from '@berth/base'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { removeContainer } from './remove.ts'

/** Removes every stopped container that fits `filters`; bytes are those of the writable layers. */
export async function pruneContainers(
  context: Context,
  filters: Filters,
): Promise<{ deleted: ContainerId[]; reclaimedBytes: number }> {
  requireKnownFilters(filters, ['label', 'label!', 'until'])
  const until = untilFilterNs(filters, nowNs())
  const deleted: ContainerId[] = []
  let reclaimedBytes = 0
  for (const container of context.registry.all().filter((candidate) => isPrunable(candidate, filters, until))) {
    const sizeBytes = await context.snapshots.usage(container.id).catch(() => 0)
    if (!(await removeIfStopped(context, container.id))) continue
    deleted.push(container.id)
    reclaimedBytes += sizeBytes
  }
  context.events.publish('container', 'prune', '', { reclaimed: String(reclaimedBytes) })
  return { deleted, reclaimedBytes }
}

function isPrunable(container: Container, filters: Filters, until: bigint | undefined): boolean {
  const { status } = container.state
  if (status !== 'created' && status !== 'exited' && status !== 'dead') return false
  if (until !== undefined && (parseTimeNs(container.createdAt) ?? 0n) >= until) return false
  const { Labels } = container.config
  return matchesLabels(Labels, filters['label']) && avoidsLabels(Labels, filters['label!'])
}

/** False when it was started or removed by somebody else meanwhile. */
async function removeIfStopped(context: Context, id: ContainerId): Promise<boolean> {
  try {
    await removeContainer(context, id, { force: false, volumes: false, link: false })
    return true
  } catch (error) {
    if (isKind(error, 'conflict') || isKind(error, 'notFound')) return false
    throw error
  }
}
