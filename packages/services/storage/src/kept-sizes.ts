export interface KeepOptions {
  /** Nothing writes to the tree now: its size is kept until `forget()`. */
  readonly isAtRest: boolean
  /** A size is kept only as long as this is the same. */
  readonly stamp?: string
}

/**
 * Sizes in bytes of trees, which take a walk to find out. Whoever lets something write to a tree calls `forget()` first;
 * callers that ask at one time share a walk.
 */
export class KeptSizes {
  readonly #kept = new Map<string, { readonly sizeBytes: number; readonly stamp: string; readonly keptMs: number }>()
  readonly #walks = new Map<string, Promise<number>>()
  readonly #maxAgeMs: number
  readonly #nowMs: () => number

  /** `maxAgeMs`: for trees that others may write to unseen, default for ever. `nowMs`: of a clock that only goes forward. */
  constructor({ maxAgeMs = Infinity, nowMs = () => performance.now() } = {}) {
    this.#maxAgeMs = maxAgeMs
    this.#nowMs = nowMs
  }

  /** The size of the tree `key`, which `walk` finds out. */
  async of(key: string, walk: () => Promise<number>, { isAtRest, stamp = '' }: KeepOptions): Promise<number> {
    const kept = this.#kept.get(key)
    if (isAtRest && kept?.stamp === stamp && this.#nowMs() - kept.keptMs < this.#maxAgeMs) return kept.sizeBytes
    const shared = this.#walks.get(key)
    if (shared) return await shared
    const walking = walk()
    this.#walks.set(key, walking)
    const keptMs = this.#nowMs()
    try {
      const sizeBytes = await walking
      if (isAtRest && this.#walks.get(key) === walking) this.#kept.set(key, { sizeBytes, stamp, keptMs })
      return sizeBytes
    } finally {
      if (this.#walks.get(key) === walking) this.#walks.delete(key)
    }
  }

  /** The tree is about to be written to, or is gone; a walk under way is nobody's any more who asks from now on. */
  forget(key: string): void {
    this.#kept.delete(key)
    this.#walks.delete(key)
  }
}
