import type { Timeouts } from './settings.ts'

/** Where a request goes within a registry, and what it may do there. */
export interface Place {
  /** The repository's. */
  readonly path: string
  readonly scopes: readonly string[]
  readonly signal: AbortSignal | undefined
  readonly timeouts: Timeouts
}
