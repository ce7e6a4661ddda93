let originMs = performance.timeOrigin

/** Nanoseconds since the epoch; microsecond resolution. Follows the wall clock, which may be set or slewed for months. */
export function nowNs(): bigint {
  const wallMs = Date.now()
  let ms = originMs + performance.now()
  // Date.now() is cut to whole milliseconds.
  if (ms < wallMs - 1 || ms > wallMs + 2) {
    originMs += wallMs - ms
    ms = wallMs
  }
  return BigInt(Math.round(ms * 1000)) * 1000n
}

/** RFC 3339 in UTC with up to nine fractional digits, trailing zeros cut as Go's RFC3339Nano does. */
export function formatTimeNs(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19)
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '')
  return fraction ? `${seconds}.${fraction}Z` : `${seconds}Z`
}

/** Some 25 days: setTimeout() takes what is longer for 1 ms. */
export const longestTimerMs = 2 ** 31 - 1

/** Now, as `formatTimeNs`. */
export const nowText = (): string => formatTimeNs(nowNs())

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(Z|z|[+-]\d\d:\d\d)$/

/** Nanoseconds since the epoch of an RFC 3339 time, or undefined when it is none. */
export function parseTimeNs(text: string): bigint | undefined {
  const m = rfc3339.exec(text)
  if (!m) return undefined
  const zone = m[8] === 'z' ? 'Z' : m[8]
  const ms = Date.parse(`${m[1]}-${m[2]}-${m[3]}T${m[4]}:${m[5]}:${m[6]}${zone}`)
  if (Number.isNaN(ms)) return undefined
  return BigInt(ms) * 1_000_000n + BigInt((m[7] ?? '').padEnd(9, '0'))
}

/** Go's zero time, which the Engine API prints where a time was never set. */
export const zeroTime = '0001-01-01T00:00:00Z'
