interface Waiting {
  readonly since: number
  readonly start: (slot: Disposable | undefined) => void
}

export interface SlotLimits {
  /** At once, of one container and of all. */
  readonly perSandbox: number
  readonly total: number
  /** Beyond these one more is refused. */
  readonly waitingPerSandbox: number
  /** Who has waited longer is not answered any more: nobody listens. */
  readonly maxWaitMs: number
}

const defaultLimits: SlotLimits = { perSandbox: 256, total: 2048, waitingPerSandbox: 16_384, maxWaitMs: 5000 }

/** Bounds what is under way; each container waits for its own. */
export class Slots {
  readonly #limits: SlotLimits
  readonly #active = new Map<string, number>()
  readonly #waiting = new Map<string, Waiting[]>()
  #total = 0

  constructor(limits: SlotLimits = defaultLimits) {
    this.#limits = limits
  }

  /** A slot, to be disposed; undefined: there is none, and none came in time. */
  acquire(sandboxId: string): Promise<Disposable | undefined> {
    if (this.#isFree(sandboxId)) return Promise.resolve(this.#take(sandboxId))
    const queue = this.#waiting.get(sandboxId) ?? []
    if (queue.length >= this.#limits.waitingPerSandbox) return Promise.resolve(undefined)
    this.#waiting.set(sandboxId, queue)
    const { promise, resolve } = Promise.withResolvers<Disposable | undefined>()
    queue.push({ since: performance.now(), start: resolve })
    return promise
  }

  #isFree(sandboxId: string): boolean {
    return (this.#active.get(sandboxId) ?? 0) < this.#limits.perSandbox && this.#total < this.#limits.total
  }

  #take(sandboxId: string): Disposable {
    this.#active.set(sandboxId, (this.#active.get(sandboxId) ?? 0) + 1)
    this.#total++
    return { [Symbol.dispose]: () => this.#release(sandboxId) }
  }

  #release(sandboxId: string): void {
    const left = (this.#active.get(sandboxId) ?? 1) - 1
    if (left > 0) this.#active.set(sandboxId, left)
    else this.#active.delete(sandboxId)
    this.#total--
    for (const waiting of this.#waiting.keys()) if (this.#isFree(waiting)) this.#startNext(waiting)
  }

  #startNext(sandboxId: string): void {
    const queue = this.#waiting.get(sandboxId) ?? []
    const next = queue.shift()
    if (queue.length === 0) this.#waiting.delete(sandboxId)
    if (!next) return
    if (performance.now() - next.since <= this.#limits.maxWaitMs) return next.start(this.#take(sandboxId))
    next.start(undefined)
    this.#startNext(sandboxId)
  }
}
