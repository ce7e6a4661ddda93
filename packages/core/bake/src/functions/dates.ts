import { parseGoDurationNs } from '@berth/base'
import { string } from '../values/types.ts'
import { stringValue, textOf } from '../values/value.ts'
import { ArgumentFailure, CallFailure, define, type FunctionSpec, parameter } from './function.ts'

/** A moment, in milliseconds since 1970, and how many minutes its place is ahead of UTC. */
interface Moment {
  readonly ms: number
  readonly offset: number
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)$/

function parseMoment(text: string, index: number): Moment {
  const match = rfc3339.exec(text)
  const ms = match === null ? Number.NaN : Date.parse(text)
  if (match === null || Number.isNaN(ms)) {
    throw new ArgumentFailure(
      index,
      `not a valid RFC3339 timestamp: cannot use "${text}" as ${/^\d{4}/.test(text) ? 'a timestamp' : 'year'}`,
    )
  }
  const zone = match[7]!
  if (zone === 'Z') return { ms, offset: 0 }
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))
  return { ms, offset: zone.startsWith('-') ? -minutes : minutes }
}

const months = 'January February March April May June July August September October November December'.split(' ')
const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')
const two = (value: number): string => String(value).padStart(2, '0')

function zoneText({ offset }: Moment, colon: string): string {
  const minutes = Math.abs(offset)
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${colon}${two(minutes % 60)}`
}

/** What a run of one letter in a format stands for. */
function field(token: string, moment: Moment): string {
  const local = new Date(moment.ms + moment.offset * 60_000)
  const hour = local.getUTCHours()
  const twelve = hour % 12 === 0 ? 12 : hour % 12
  const known: Readonly<Record<string, () => string>> = {
    YYYY: () => String(local.getUTCFullYear()).padStart(4, '0'),
    YY: () => two(local.getUTCFullYear() % 100),
    MMMM: () => months[local.getUTCMonth()]!,
    MMM: () => months[local.getUTCMonth()]!.slice(0, 3),
    MM: () => two(local.getUTCMonth() + 1),
    M: () => String(local.getUTCMonth() + 1),
    DD: () => two(local.getUTCDate()),
    D: () => String(local.getUTCDate()),
    EEEE: () => days[local.getUTCDay()]!,
    EEE: () => days[local.getUTCDay()]!.slice(0, 3),
    hh: () => two(hour),
    h: () => String(hour),
    HH: () => two(twelve),
    H: () => String(twelve),
    AA: () => (hour < 12 ? 'AM' : 'PM'),
    aa: () => (hour < 12 ? 'am' : 'pm'),
    mm: () => two(local.getUTCMinutes()),
    m: () => String(local.getUTCMinutes()),
    ss: () => two(local.getUTCSeconds()),
    s: () => String(local.getUTCSeconds()),
    ZZZZZ: () => zoneText(moment, ':'),
    ZZZZ: () => zoneText(moment, ''),
    ZZZ: () => (moment.offset === 0 ? 'UTC' : zoneText(moment, '')),
    Z: () => (moment.offset === 0 ? 'Z' : zoneText(moment, ':')),
  }
  const format = known[token]
  if (format === undefined) throw new ArgumentFailure(0, `invalid date format verb "${token}"`)
  return format()
}

const formatdate = define([parameter('format', string), parameter('time', string)], ([format, time]) => {
  const moment = parseMoment(textOf(time!), 1)
  const text = textOf(format!)
  const formatted = text.replaceAll(/'((?:[^']|'')*)('?)|([A-Za-z])\3*/g, (all, quoted?: string, close?: string) => {
    if (quoted === undefined) return field(all, moment)
    if (close === '') throw new ArgumentFailure(0, "unterminated literal '")
    return quoted.replaceAll("''", "'")
  })
  return stringValue(formatted)
})

/** RFC 3339 as Go writes it, in whole seconds. */
function formatMoment(moment: Moment): string {
  const local = new Date(moment.ms + moment.offset * 60_000).toISOString().slice(0, 19)
  return local + (moment.offset === 0 ? 'Z' : zoneText(moment, ':'))
}

const timeadd = define([parameter('timestamp', string), parameter('duration', string)], ([time, duration]) => {
  const moment = parseMoment(textOf(time!), 0)
  const ns = parseGoDurationNs(textOf(duration!))
  if (ns === undefined) throw new CallFailure(`time: invalid duration ${JSON.stringify(textOf(duration!))}`)
  const ms = moment.ms + Number(ns) / 1e6
  if (Math.abs(ms) > 8.64e15) throw new CallFailure('the time is out of range')
  return stringValue(formatMoment({ ...moment, ms }))
})

export const dateFunctions = (now: () => Date): Readonly<Record<string, FunctionSpec>> => ({
  formatdate,
  timeadd,
  timestamp: define([], () => stringValue(formatMoment({ ms: now().getTime(), offset: 0 }))),
})
