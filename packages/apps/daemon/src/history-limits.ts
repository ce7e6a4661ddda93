import { invalid, parseGoDurationNs } from '@berth/base'
import type { BuildkitOptions } from '@berth/buildkit'
import type { BuilderEntry } from './config/values.ts'

export type HistoryLimits = ReturnType<BuildkitOptions['historyLimits']>

/** BuildKit's own. */
const defaults: HistoryLimits = { maxEntries: 50, maxAgeMs: 48 * 3_600_000 }

/** Nobody reads more, and each is some kilobytes. */
const most = 10_000

/** `builder.history` of daemon.json: how many builds are remembered, and for how long. Throws `invalid` naming the setting. */
export function historyLimits({ history = {} }: BuilderEntry): HistoryLimits {
  const { maxEntries = defaults.maxEntries, maxAge } = history
  if (maxEntries < 1 || maxEntries > most) {
    throw invalid(`daemon.json: builder.history.maxEntries: want 1 to ${most}, not ${maxEntries}`)
  }
  return { maxEntries, maxAgeMs: maxAge === undefined ? defaults.maxAgeMs : ageMs(maxAge) }
}

/** Seconds, or a duration as Go writes it. */
function ageMs(age: string | number): number {
  const ns = typeof age === 'number' ? BigInt(age) * 1_000_000_000n : parseGoDurationNs(age)
  if (ns === undefined || ns <= 0n)
    throw invalid(`daemon.json: builder.history.maxAge: invalid duration ${JSON.stringify(age)}`)
  return Number(ns / 1_000_000n)
}
