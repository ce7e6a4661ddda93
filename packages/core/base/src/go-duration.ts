const unitNs: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}
// Digits belong to one place only: text of others is tried in one way.
const whole = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/
const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g

/** Nanoseconds of a duration as Go writes it (`1h30m`, `1.5s`, `0`), or undefined when it is none. */
export function parseGoDurationNs(text: string): bigint | undefined {
  if (/^[+-]?0$/.test(text)) return 0n
  if (!whole.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(part)) total += Number(amount) * (unitNs[unit as string] as number)
  return BigInt(Math.round(text.startsWith('-') ? -total : total))
}

/** A duration as Go's `Duration.String()` prints it: `1m30s`, `50ms`, `0s`. */
export function formatGoDuration(ns: number): string {
  const sign = ns < 0 ? '-' : ''
  const size = Math.abs(ns)
  if (size === 0) return '0s'
  if (size < 1e3) return `${sign}${size}ns`
  if (size < 1e6) return `${sign}${size / 1e3}µs`
  if (size < 1e9) return `${sign}${size / 1e6}ms`
  const hours = Math.floor(size / 3600e9)
  const minutes = Math.floor((size % 3600e9) / 60e9)
  const seconds = (size % 60e9) / 1e9
  return `${sign}${hours ? `${hours}h` : ''}${hours || minutes ? `${minutes}m` : ''}${seconds}s`
}
