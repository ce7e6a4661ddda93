import { invalid, parseGoDurationNs, parseTimeNs } from '@berth/base'
import type { Filters } from './containers.ts'

/** Refuses names that are not in `known`: `invalid filter 'x'`. */
export function requireKnownFilters(filters: Filters, known: readonly string[]): void {
  for (const name of Object.keys(filters)) if (!known.includes(name)) throw invalid(`invalid filter '${name}'`)
}

/** True when every value of `label` holds: `key` is there, or `key=value` is. */
export function matchesLabels(labels: Readonly<Record<string, string>>, wanted: readonly string[] = []): boolean {
  return wanted.every((want) => hasLabel(labels, want))
}

/** True when no value of `label!` holds. */
export function avoidsLabels(labels: Readonly<Record<string, string>>, unwanted: readonly string[] = []): boolean {
  return !unwanted.some((want) => hasLabel(labels, want))
}

function hasLabel(labels: Readonly<Record<string, string>>, want: string): boolean {
  const at = want.indexOf('=')
  const value = Object.hasOwn(labels, at < 0 ? want : want.slice(0, at))
    ? labels[at < 0 ? want : want.slice(0, at)]
    : undefined
  return value !== undefined && (at < 0 || value === want.slice(at + 1))
}

/**
 * The one value of the `until` filter in nanoseconds since the epoch: RFC 3339, a date, Unix seconds with a fraction,
 * or a Go duration before now. Undefined without the filter.
 */
export function untilNs(filters: Filters, nowNs: bigint): bigint | undefined {
  const values = filters['until']
  if (!values?.length) return undefined
  if (values.length > 1) throw invalid('more than one until filter specified')
  return parseTimestamp(values[0] as string, nowNs)
}

/** See `untilNs`; throws `invalid` for what is no time. */
export function parseTimestamp(text: string, nowNs: bigint): bigint {
  const ago = parseGoDurationNs(text)
  if (ago !== undefined && text !== '0') return nowNs - ago
  const seconds = /^(-?\d+)(?:\.(\d{1,9}))?$/.exec(text)
  if (seconds) return BigInt(seconds[1] as string) * 1_000_000_000n + BigInt((seconds[2] ?? '').padEnd(9, '0'))
  const full = /^\d{4}-\d\d-\d\d$/.test(text)
    ? `${text}T00:00:00Z`
    : /[zZ]|[+-]\d\d:\d\d$/.test(text)
      ? text
      : `${text}Z`
  const ns = parseTimeNs(full)
  if (ns === undefined) throw invalid(`failed to parse value as time or duration: "${text}"`)
  return ns
}
