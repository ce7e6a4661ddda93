import { invalid } from '@berth/base'
import { planLog } from '@berth/containers'
import { cacheRules } from './cache-rules.ts'
import type { Config } from './config/config.ts'
import type { BuilderEntry } from './config/values.ts'
import { containerSettings } from './container-defaults.ts'
import { checkFeatures } from './features.ts'
import { historyLimits } from './history-limits.ts'
import { checkAddresses } from './listen-targets.ts'
import { logFormat, logLevel } from './logger.ts'
import { networkSettings } from './network-settings.ts'
import { planPaths } from './paths.ts'
import { registrySettings, transferLimits } from './registry-settings.ts'
import { minFreeSpace, storageDriver } from './storage-settings.ts'

/**
 * Throws `invalid` naming the first setting that cannot be meant, whatever the state of the machine: before the engine
 * begins, before a reload changes anything, and for `--validate`.
 */
export function checkConfig(config: Config): void {
  logLevel(config)
  logFormat(config)
  checkLabels(config.get('labels', [] as readonly string[]))
  checkFeatures(config)
  checkAddresses(config, planPaths(config))
  storageDriver(config)
  minFreeSpace(config)
  networkSettings(config)
  registrySettings(config)
  transferLimits(config)
  planLog(containerSettings(config).logConfig)
  const builder = config.get('builder', {} as BuilderEntry)
  historyLimits(builder)
  cacheRules(builder, 0)
}

/** `key=value` each, and one value a key. */
function checkLabels(labels: readonly string[]): void {
  const byKey = new Map<string, string>()
  for (const label of labels) {
    const key = label.split('=', 1)[0] ?? ''
    if (!label.includes('=') || key === '') throw invalid(`bad attribute format: ${label}`)
    const other = byKey.get(key)
    if (other !== undefined && other !== label) throw invalid(`conflict labels for ${label} and ${other}`)
    byKey.set(key, label)
  }
}
