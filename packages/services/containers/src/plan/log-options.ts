import { compilePattern, invalid, messageOf, notImplemented, parseGoBool } from '@berth/base'
import type { LogConfig } from '@berth/engine-api'
import { parseSizeBytes, sizeProblem } from './go-values.ts'
import { formatTag, type TagSubject, validateTag } from './log-tag.ts'
import type { LogPlan } from './types.ts'

const jsonFileOptions = 'max-file max-size compress labels labels-regex env env-regex tag'.split(' ')
const localOptions = 'max-file max-size compress'.split(' ')
const commonOptions = ['mode', 'max-buffer-size']
/** Drivers of Docker that send logs elsewhere. */
const remoteDrivers = 'awslogs etwlogs fluentd gcplogs gelf journald splunk syslog'.split(' ')
const defaults = { maxSizeBytes: 20 * 1024 ** 2, maxFiles: 5, compress: true, maxBufferSizeBytes: 1024 ** 2 }

type Options = Readonly<Record<string, string>>

/** Reads a log configuration whose driver is named. Throws `invalid` naming the option that is wrong. */
export function planLog(config: LogConfig): LogPlan {
  const { Type: type, Config: options } = config
  if (type === 'none') return { driver: 'none' }
  if (remoteDrivers.includes(type)) {
    throw notImplemented(`logging driver "${type}" is not supported: use json-file, local or none`)
  }
  if (type !== 'json-file' && type !== 'local') {
    throw invalid(`error looking up logging plugin ${type}: plugin "${type}" not found`)
  }
  requireKnown(type, options)
  validateTag(options['tag'] ?? '')
  const rotation = planRotation(options)
  return {
    driver: type,
    ...rotation,
    labels: list(options['labels']),
    labelsRegex: regex('labels-regex', options),
    env: list(options['env']),
    envRegex: regex('env-regex', options),
    tag: options['tag'] ?? '',
    ...planMode(options),
  }
}

/** The daemon's driver where none is named, and its options when the driver is the same. */
export function mergeLogConfig(own: LogConfig, daemon: LogConfig): LogConfig {
  const type = own.Type || daemon.Type
  const inherited = type === daemon.Type ? daemon.Config : {}
  return { Type: type, Config: { ...inherited, ...own.Config } }
}

function requireKnown(type: 'json-file' | 'local', options: Options): void {
  const known = new Set([...commonOptions, ...(type === 'local' ? localOptions : jsonFileOptions)])
  const unknown = Object.keys(options).find((name) => !known.has(name))
  if (unknown === undefined) return
  throw invalid(
    type === 'local'
      ? `unknown log opt '${unknown}' for log driver local`
      : `unknown log opt '${unknown}' for json-file log driver`,
  )
}

function planRotation(options: Options): { maxSizeBytes: number; maxFiles: number; compress: boolean } {
  const maxSizeBytes = size('max-size', options) ?? defaults.maxSizeBytes
  const maxFiles = fileCount(options['max-file'])
  const compress = boolean('compress', options)
  if (compress && (maxFiles < 2 || maxSizeBytes === 0)) {
    throw wrong('compress cannot be true when max-file is less than 2 or max-size is not set')
  }
  return { maxSizeBytes, maxFiles, compress: compress ?? (defaults.compress && maxFiles > 1) }
}

function fileCount(text: string | undefined): number {
  if (text === undefined) return defaults.maxFiles
  if (!/^[+-]?\d+$/.test(text)) throw wrong(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  if (Number(text) < 1) throw wrong('max-file cannot be less than 1')
  return Number(text)
}

function planMode(options: Options): { mode: 'blocking' | 'non-blocking'; maxBufferSizeBytes: number } {
  const mode = options['mode'] || 'blocking'
  if (mode !== 'blocking' && mode !== 'non-blocking') throw invalid(`logger: logging mode not supported: ${mode}`)
  const text = options['max-buffer-size']
  if (text === undefined) return { mode, maxBufferSizeBytes: defaults.maxBufferSizeBytes }
  if (mode === 'blocking') throw invalid("logger: max-buffer-size option is only supported with 'mode=non-blocking'")
  const maxBufferSizeBytes = parseSizeBytes(text)
  if (maxBufferSizeBytes === undefined) throw invalid(`error parsing option max-buffer-size: ${sizeProblem(text)}`)
  return { mode, maxBufferSizeBytes }
}

/** `-1`, Docker's word for a file that never rotates, and 0 are 0. */
function size(name: string, options: Options): number | undefined {
  const text = options[name]
  if (text === undefined) return undefined
  const bytes = text === '-1' ? 0 : parseSizeBytes(text)
  if (bytes === undefined) throw wrong(sizeProblem(text))
  return bytes
}

function boolean(name: string, options: Options): boolean | undefined {
  const text = options[name]
  if (text === undefined) return undefined
  const value = parseGoBool(text)
  if (value === undefined) throw wrong(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
  return value
}

function regex(name: string, options: Options): string {
  const text = options[name] ?? ''
  try {
    compilePattern(text)
  } catch (error) {
    throw wrong(messageOf(error))
  }
  return text
}

const list = (text: string | undefined): string[] => (text ?? '').split(',').filter(Boolean)
const wrong = (reason: string) => invalid(`failed to initialize logging driver: ${reason}`)

/** What json-file records with every line: the labels, variables and tag that the options name; undefined for nothing. */
export function recordedAttributes(plan: LogPlan, subject: TagSubject): Readonly<Record<string, string>> | undefined {
  if (plan.driver === 'none') return undefined
  const { config } = subject
  const env = Object.fromEntries((config.Env ?? []).filter((entry) => entry.includes('=')).map(splitEntry))
  const attrs = {
    ...pick(config.Labels, plan.labels, plan.labelsRegex),
    ...pick(env, plan.env, plan.envRegex),
    ...(plan.tag !== '' && { tag: formatTag(plan.tag, subject) }),
  }
  return Object.keys(attrs).length > 0 ? attrs : undefined
}

function splitEntry(entry: string): [string, string] {
  const equals = entry.indexOf('=')
  return [entry.slice(0, equals), entry.slice(equals + 1)]
}

function pick(
  values: Readonly<Record<string, string>>,
  names: readonly string[],
  pattern: string,
): Record<string, string> {
  const compiled = pattern === '' ? undefined : compilePattern(pattern)
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name) || compiled?.test(name)))
}
