import type { Digest } from '@berth/oci'

/** What somebody refers to. A chain id stands for its whole line of parents. */
export interface GcRoots {
  readonly blobs: Iterable<Digest>
  readonly chainIds: Iterable<Digest>
}

export interface SweepInput {
  readonly blobs: readonly { readonly digest: Digest; readonly modifiedMs: number }[]
  readonly snapshots: readonly {
    readonly chainId: Digest
    readonly parent: Digest | undefined
    readonly createdMs: number
  }[]
  readonly roots: readonly GcRoots[]
  /** What came later is left alone; undefined: nothing is. */
  readonly olderThanMs: number | undefined
}

export interface SweepPlan {
  readonly blobs: Digest[]
  /** Children before their parents. */
  readonly snapshots: Digest[]
}

/** Mark and sweep: what no root reaches and no work in flight may have made. */
export function planSweep({ blobs, snapshots, roots, olderThanMs = Number.POSITIVE_INFINITY }: SweepInput): SweepPlan {
  const markedBlobs = new Set(roots.flatMap((root) => [...root.blobs]))
  const parents = new Map(snapshots.map(({ chainId, parent }) => [chainId, parent]))
  const marked = new Set<Digest>()
  const mark = (chainId: Digest) => {
    for (let next: Digest | undefined = chainId; next !== undefined && !marked.has(next); next = parents.get(next)) {
      marked.add(next)
    }
  }
  for (const root of roots) for (const chainId of root.chainIds) mark(chainId)
  for (const { chainId, createdMs } of snapshots) if (createdMs >= olderThanMs) mark(chainId)
  return {
    blobs: blobs.filter((blob) => !markedBlobs.has(blob.digest) && blob.modifiedMs < olderThanMs).map((b) => b.digest),
    snapshots: childrenFirst(
      [...parents.keys()].filter((chainId) => !marked.has(chainId)),
      parents,
    ),
  }
}

function childrenFirst(chainIds: Digest[], parents: ReadonlyMap<Digest, Digest | undefined>): Digest[] {
  const depths = new Map<Digest, number>()
  const depthOf = (chainId: Digest): number => {
    let depth = 0
    for (let next = parents.get(chainId); next !== undefined; next = parents.get(next)) depth++
    return depth
  }
  for (const chainId of chainIds) depths.set(chainId, depthOf(chainId))
  return chainIds.toSorted((a, b) => (depths.get(b) ?? 0) - (depths.get(a) ?? 0))
}
