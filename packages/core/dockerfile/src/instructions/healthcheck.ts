import { invalid, parseGoDurationNs } from '@berth/base'
import type { ImageRunConfig } from '@berth/oci'
import { type InstructionLine, parseJsonForm } from '../lines/parse-lines.ts'
import { type Flags, readFlags } from './flags.ts'

type Healthcheck = NonNullable<ImageRunConfig['Healthcheck']>

const durations = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
} as const

/** `HEALTHCHECK [flags] CMD ...` or `HEALTHCHECK NONE`; throws `invalid` in Docker's words. */
export function parseHealthcheck(line: InstructionLine): Healthcheck {
  const [, type = '', command = ''] = /^(\S*)\s*([^]*)$/.exec(line.rest) ?? []
  if (type === '') throw invalid('HEALTHCHECK requires at least one argument')
  if (type.toUpperCase() === 'NONE') {
    if (command) throw invalid('HEALTHCHECK NONE takes no arguments')
    return { Test: ['NONE'] }
  }
  const flags = readFlags(line, { text: [...Object.keys(durations), 'retries'] })
  if (type.toUpperCase() !== 'CMD') {
    throw invalid(`Unknown type ${JSON.stringify(type.toUpperCase())} in HEALTHCHECK (try CMD)`)
  }
  return { Test: parseTest(command), ...parseDurations(flags), ...parseRetries(flags.text('retries')) }
}

function parseTest(command: string): string[] {
  const json = parseJsonForm(command)
  if (json?.length === 0 || command === '') throw invalid('Missing command after HEALTHCHECK CMD')
  return json ? ['CMD', ...json] : ['CMD-SHELL', command]
}

const minimumNs = 1_000_000n

function parseDurations(flags: Flags): Healthcheck {
  const entries = Object.entries(durations).flatMap(([flag, field]) => {
    const text = flags.text(flag)
    if (!text) return []
    const ns = parseGoDurationNs(text)
    if (ns === undefined) throw invalid(durationProblem(text))
    if (ns !== 0n && ns < minimumNs) throw invalid(`Interval ${JSON.stringify(flag)} cannot be less than 1ms`)
    return ns === 0n ? [] : [[field, Number(ns)]]
  })
  return Object.fromEntries(entries)
}

function parseRetries(text: string | undefined): Healthcheck {
  if (!text) return {}
  const retries = /^[+-]?\d+$/.test(text) ? Number(text) : NaN
  if (Number.isNaN(retries)) throw invalid(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  if (Math.abs(retries) > 0x7fffffff)
    throw invalid(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`)
  if (retries < 0) throw invalid(`--retries cannot be negative (${retries})`)
  return retries === 0 ? {} : { Retries: retries }
}

/** As Go says it. */
const durationProblem = (text: string): string =>
  /^[-+]?\d+(?:\.\d*)?$/.test(text)
    ? `time: missing unit in duration ${JSON.stringify(text)}`
    : `time: invalid duration ${JSON.stringify(text)}`
