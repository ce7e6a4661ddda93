import type { BuildOutcome } from '@berth/builder'
import type { Platform } from '@berth/oci'
import { randomBytes } from 'node:crypto'

/** After its build has ended, others of the same client, which run beside it, may still begin with an outcome. */
const keepMs = 120_000

/** When no build runs any more, nobody will. */
const idleMs = 5000

/** As many are kept. */
const maxKept = 200

/** What was built, and for which platform. */
export interface PlatformOutcome {
  readonly outcome: BuildOutcome
  readonly platform: Platform
}

interface Kept {
  readonly made: PlatformOutcome
  timer: NodeJS.Timeout | undefined
}

/** What builds made, by ids that clients hold. Owns them. */
export class Outcomes implements AsyncDisposable {
  readonly #kept = new Map<string, Kept>()
  #idle: NodeJS.Timeout | undefined

  add(made: PlatformOutcome): string {
    const id = randomBytes(12).toString('hex')
    this.#kept.set(id, { made, timer: undefined })
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= maxKept) break
      void this.#drop(oldest)
    }
    return id
  }

  get(id: string): PlatformOutcome | undefined {
    return this.#kept.get(id)?.made
  }

  /** Its build is over: it goes after a while. */
  release(id: string): void {
    const kept = this.#kept.get(id)
    if (kept) kept.timer ??= setTimeout(() => void this.#drop(id), keepMs).unref()
  }

  /** Builds are running, so many. */
  setRunning(builds: number): void {
    clearTimeout(this.#idle)
    if (builds === 0) this.#idle = setTimeout(() => void this.#dropReleased(), idleMs).unref()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#idle)
    await Promise.all([...this.#kept.keys()].map((id) => this.#drop(id)))
  }

  async #dropReleased(): Promise<void> {
    for (const [id, { timer }] of this.#kept) if (timer) await this.#drop(id)
  }

  async #drop(id: string): Promise<void> {
    const kept = this.#kept.get(id)
    if (!kept) return
    this.#kept.delete(id)
    clearTimeout(kept.timer)
    await kept.made.outcome[Symbol.asyncDispose]()
  }
}
