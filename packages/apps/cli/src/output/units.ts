import { humanDuration } from '@berth/base'

const decimalUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB']
const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB']

/** `1.98MB`: decimal units, `precision` significant digits. */
export function humanSize(sizeBytes: number, precision = 4): string {
  return scaled(sizeBytes, 1000, { units: decimalUnits, precision })
}

/** `512MiB`: binary units, four significant digits. */
export function binarySize(sizeBytes: number): string {
  return scaled(sizeBytes, 1024, { units: binaryUnits, precision: 4 })
}

function scaled(
  sizeBytes: number,
  base: number,
  { units, precision }: { units: readonly string[]; precision: number },
): string {
  let size = sizeBytes
  let unit = 0
  while (size >= base && unit < units.length - 1) {
    size /= base
    unit++
  }
  return significant(size, precision) + (units[unit] ?? '')
}

/** As printf's %.<precision>g. */
function significant(value: number, precision: number): string {
  const [mantissa = '0', exponent = '0'] = value.toExponential(precision - 1).split('e')
  if (Number(exponent) < precision) return String(Number(value.toPrecision(precision)))
  return `${Number(mantissa)}e+${exponent.replace('+', '').padStart(2, '0')}`
}

/** The time since `epochS` (seconds), as a column shows it. */
export function ago(epochS: number): string {
  return `${humanDuration(Date.now() - 1000 * epochS)} ago`
}

/** As Go prints a time: `2026-01-02 15:04:05 +0000 UTC`, in the local zone. */
export function goTime(epochS: number): string {
  const date = new Date(epochS * 1000)
  const offsetMinutes = -date.getTimezoneOffset()
  const local = new Date(date.getTime() + offsetMinutes * 60_000).toISOString()
  const sign = offsetMinutes < 0 ? '-' : '+'
  const [hours, minutes] = [Math.trunc(Math.abs(offsetMinutes) / 60), Math.abs(offsetMinutes) % 60]
  const offset = `${sign}${String(hours).padStart(2, '0')}${String(minutes).padStart(2, '0')}`
  return `${local.slice(0, 10)} ${local.slice(11, 19)} ${offset} ${zoneName(date, offset)}`
}

/** As `goTime`, with its fraction of a second, for a time in RFC 3339; the text itself if it is none. */
export function goTimestamp(text: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text)
  if (match === null) return text
  const [, date = '', time = '', digits = '', zone = ''] = match
  const fraction = digits.replace(/0+$/, '')
  return `${date} ${time}${fraction === '' ? '' : `.${fraction}`} ${zoneOf(text, zone)}`
}

/** `+0000 UTC`; a zone that is not ours is named by its offset. */
function zoneOf(text: string, zone: string): string {
  if (zone === 'Z') return '+0000 UTC'
  const ours = goTime(Date.parse(text) / 1000)
    .split(' ')
    .slice(2)
  const offset = zone.replace(':', '')
  return `${offset} ${ours[0] === offset ? ours[1] : offset}`
}

function zoneName(date: Date, offset: string): string {
  if (offset === '+0000') return 'UTC'
  return /\(([A-Z]{2,5})\)$/.exec(date.toString())?.[1] ?? offset.slice(0, 3)
}

/** RFC 3339 with the local zone's offset, as events and logs show. */
export function localTimestamp(epochNs: bigint): string {
  const seconds = epochNs / 1_000_000_000n
  const date = new Date(Number(seconds) * 1000)
  const offsetMinutes = -date.getTimezoneOffset()
  const local = new Date(date.getTime() + offsetMinutes * 60_000).toISOString().slice(0, 19)
  const nanos = String(epochNs % 1_000_000_000n).padStart(9, '0')
  return `${local}.${nanos}${zoneOffset(offsetMinutes)}`
}

function zoneOffset(offsetMinutes: number): string {
  if (offsetMinutes === 0) return 'Z'
  const size = Math.abs(offsetMinutes)
  const two = (count: number): string => String(count).padStart(2, '0')
  return `${offsetMinutes < 0 ? '-' : '+'}${two(Math.trunc(size / 60))}:${two(size % 60)}`
}
