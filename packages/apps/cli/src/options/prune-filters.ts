import { ownValue } from '@berth/base'
import type { ConfigFile } from '../config-file.ts'

type Filters = Readonly<Record<string, readonly string[]>>

/** The filters of a prune: the command line's, and those of config.json's `pruneFilters` that it does not contradict. */
export function pruneFilters({ pruneFilters: configured = [] }: ConfigFile, given: Filters): Filters {
  const merged: Record<string, readonly string[]> = { ...given }
  for (const text of configured) {
    const equals = text.indexOf('=')
    const [name, value] = [text.slice(0, equals), text.slice(equals + 1)]
    const opposite = name === 'label' ? 'label!' : name === 'label!' ? 'label' : undefined
    if (equals < 0 || (opposite !== undefined && (given[opposite] ?? []).includes(value))) continue
    merged[name] = [...(ownValue(merged, name) ?? []), value]
  }
  return merged
}
