import type { Digest } from '@berth/oci'

/** Work in flight: while it is held, the collector frees nothing that came after it, and nothing that it keeps. */
export interface Lease extends Disposable {
  /** Keeps blobs and snapshots (with what they stand on) that may be older than the lease. */
  keep(...digests: readonly Digest[]): void
}

/** File times are those of the kernel's last tick, up to 10 ms ago. */
const tickMs = 20

/** Leases live as long as the process: after a crash there is no work in flight. */
export class Leases {
  readonly #held = new Set<{ readonly sinceMs: number; readonly kept: Set<Digest> }>()

  acquire(): Lease {
    const lease = { sinceMs: Date.now() - tickMs, kept: new Set<Digest>() }
    this.#held.add(lease)
    return {
      keep: (...digests) => digests.forEach((digest) => lease.kept.add(digest)),
      [Symbol.dispose]: () => void this.#held.delete(lease),
    }
  }

  /** Since when the oldest lease is held, in milliseconds since the epoch; undefined without any. */
  oldestMs(): number | undefined {
    const since = [...this.#held].map(({ sinceMs }) => sinceMs)
    return since.length === 0 ? undefined : Math.min(...since)
  }

  kept(): Set<Digest> {
    return new Set([...this.#held].flatMap(({ kept }) => [...kept]))
  }
}
