import { parseDuration } from '../flags/values.ts'

/**
 * A point in time as seconds since the epoch with an optional fraction: from a Go duration before `nowMs`, an RFC 3339
 * or shorter date (local unless it names a zone), or such seconds themselves. Undefined if the text is none of these.
 */
export function parseTimestamp(text: string, nowMs = Date.now()): string | undefined {
  if (/^\d+(\.\d{1,9})?$/.test(text)) return text
  const duration = durationOf(text)
  if (duration !== undefined) return fromMs(nowMs - duration / 1e6, '')
  const match = /^(\d{4}-\d\d-\d\d)(?:T(\d\d(?::\d\d(?::\d\d(?:\.(\d{1,9}))?)?)?))?(Z|[+-]\d\d:?\d\d)?$/.exec(text)
  if (match === null) return undefined
  const [, date = '', time = '', fraction = '', zone = ''] = match
  const clock = time === '' ? '00:00:00' : (time.split('.')[0]?.padEnd(8, ':00') ?? '')
  const ms = Date.parse(`${date}T${clock.slice(0, 8)}${zone}`)
  return Number.isNaN(ms) ? undefined : fromMs(ms, fraction)
}

function durationOf(text: string): number | undefined {
  try {
    return parseDuration(text)
  } catch {
    return undefined
  }
}

function fromMs(ms: number, fraction: string): string {
  const seconds = Math.floor(ms / 1000)
  const nanos =
    fraction === '' ? String(Math.round((ms - seconds * 1000) * 1e6)).padStart(9, '0') : fraction.padEnd(9, '0')
  return `${seconds}.${nanos}`
}
