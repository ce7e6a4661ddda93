import type { Entitlement, PruneRule } from '@berth/builder'
import { cacheRules } from './cache-rules.ts'
import type { Config } from './config/config.ts'
import type { BuilderEntry } from './config/values.ts'
import { type HistoryLimits, historyLimits } from './history-limits.ts'

/** The configuration, and what follows from it that a reload may change. */
export interface Settings {
  readonly config: Config
  /** Of the build cache. */
  readonly cacheRules: readonly PruneRule[]
  readonly historyLimits: HistoryLimits
  /** What clients may grant their builds. */
  readonly grantable: readonly Entitlement[]
  /** Of the disk that holds the data root. */
  readonly diskBytes: number
}

/** Throws `invalid` for limits that are none. */
export function deriveSettings(config: Config, diskBytes: number): Settings {
  const builder = config.get('builder', {} as BuilderEntry)
  return {
    config,
    cacheRules: cacheRules(builder, diskBytes),
    historyLimits: historyLimits(builder),
    grantable: builder.entitlements?.['network-host'] === false ? [] : ['network.host'],
    diskBytes,
  }
}
