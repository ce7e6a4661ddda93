import { invalid } from './errors.ts'
import { parseTimeNs } from './clock.ts'
import { parseGoDurationNs } from './go-duration.ts'

/** The wire's `filters`, decoded: name to the accepted values. */
export type Filters = Readonly<Record<string, readonly string[]>>

/** Refuses names that are not in `known`: `invalid filter 'x'`. */
export function requireKnownFilters(filters: Filters, known: readonly string[]): void {
  for (const name of Object.keys(filters)) if (!known.includes(name)) throw invalid(`invalid filter '${name}'`)
}

/** True when every value of a `label` filter holds: `key` is there, or `key=value` is. */
export function matchesLabels(
  labels: Readonly<Record<string, string>> | null | undefined,
  wanted: readonly string[] = [],
): boolean {
  return wanted.every((want) => hasLabel(labels ?? {}, want))
}

function hasLabel(labels: Readonly<Record<string, string>>, want: string): boolean {
  const equals = want.indexOf('=')
  const key = equals < 0 ? want : want.slice(0, equals)
  return Object.hasOwn(labels, key) && (equals < 0 || labels[key] === want.slice(equals + 1))
}

/** True when no value of a `label!` filter holds. */
export function avoidsLabels(
  labels: Readonly<Record<string, string>> | null | undefined,
  unwanted: readonly string[] = [],
): boolean {
  return !unwanted.some((want) => hasLabel(labels ?? {}, want))
}

/** A filter that is true or false, in any of Go's spellings. */
export function booleanFilter(filters: Filters, name: string): boolean | undefined {
  const values = filters[name] ?? []
  if (values.length === 0) return undefined
  if (values.every((value) => value === '1' || value === 'true')) return true
  if (values.every((value) => value === '0' || value === 'false')) return false
  throw invalid(`invalid filter '${name}=[${values.join(' ')}]'`)
}

/** The one value of the `until` filter (`parseTimestampNs`), or undefined without the filter. */
export function untilFilterNs(filters: Filters, nowNs: bigint): bigint | undefined {
  const [until, ...more] = filters['until'] ?? []
  if (more.length > 0) throw invalid('more than one until filter specified')
  return until === undefined ? undefined : parseTimestampNs(until, nowNs)
}

/**
 * Nanoseconds since the epoch of a time as Docker's filters take it: RFC 3339 or a part of it, Unix seconds with a
 * fraction, or a Go duration before `nowNs`. Throws `invalid`.
 */
export function parseTimestampNs(text: string, nowNs: bigint): bigint {
  const ago = text === '0' ? undefined : parseGoDurationNs(text)
  if (ago !== undefined) return nowNs - ago
  const seconds = /^(-?\d+)(?:\.(\d{1,9}))?$/.exec(text)
  if (seconds) return BigInt(seconds[1] as string) * 1_000_000_000n + BigInt((seconds[2] ?? '').padEnd(9, '0'))
  const ns = parseTimeNs(completed(text))
  if (ns === undefined) throw invalid(`failed to parse value as time or duration: ${JSON.stringify(text)}`)
  return ns
}

/** A date, or a time without seconds or zone, with what is missing: zeros and UTC. */
function completed(text: string): string {
  const m = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d(?:\.\d+)?))?)?)?(Z|z|[+-]\d\d:\d\d)?$/.exec(text)
  if (!m) return text
  const [, date, hour = '00', minute = '00', second = '00', zone = 'Z'] = m
  return `${date}T${hour}:${minute}:${second}${zone}`
}
