import { splitCsv } from '@berth/base'
import { parseDuration, parseSize } from './values.ts'

/** One option of a command. */
export interface Flag<T> {
  readonly name: string
  readonly short?: string
  /** What stands for the value in the help text; empty for switches. */
  readonly placeholder: string
  readonly help: string
  readonly initial: T
  /** The value of a flag that is given without one. */
  readonly implied?: string
  /** The variable of the environment that sets the flag where the command line does not. */
  readonly environment?: string
  readonly hidden?: boolean
  /** Other names that are not listed. */
  readonly also?: readonly string[]
  /** The value after this occurrence; throws an Error that says what is wrong with the text. */
  parse(text: string, previous: T): T
}

export type FlagSet = Readonly<Record<string, Flag<unknown>>>

/** The values of a set of flags by its keys. */
export type FlagValues<F extends FlagSet> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never }

/** `a,all`: the one-letter form first, if there is one. */
type Names = string

function names(spec: Names): { name: string; short?: string } {
  const comma = spec.indexOf(',')
  return comma < 0 ? { name: spec } : { short: spec.slice(0, comma), name: spec.slice(comma + 1) }
}

/** A flag whose text is turned into a value by `parse`; the last occurrence counts. */
export function value<T>(
  spec: Names,
  placeholder: string,
  help: string,
  as: { initial: T; parse: (text: string) => T },
): Flag<T> {
  return { ...names(spec), placeholder, help, initial: as.initial, parse: as.parse }
}

export function boolean(spec: Names, help: string, initial = false): Flag<boolean> {
  return { ...names(spec), placeholder: '', help, initial, implied: 'true', parse: parseBoolean }
}

export function string(spec: Names, help: string, initial = ''): Flag<string> {
  return value(spec, 'string', help, { initial, parse: (text) => text })
}

/** A flag that a variable of the environment sets where the command line does not. */
export function fromEnvironment<T>(environment: string, flag: Flag<T>): Flag<T> {
  return { ...flag, environment }
}

/** Every occurrence adds one value. */
export function list(
  spec: Names,
  help: string,
  options: { placeholder?: string; check?: (text: string) => string } = {},
): Flag<readonly string[]> {
  const check = options.check ?? ((text: string) => text)
  const parse = (text: string, previous: readonly string[]): readonly string[] => [...previous, check(text)]
  return { ...names(spec), placeholder: options.placeholder ?? 'list', help, initial: [], parse }
}

/** Every occurrence adds the values between its commas. */
export function commaList(spec: Names, help: string): Flag<readonly string[]> {
  const parse = (text: string, previous: readonly string[]): readonly string[] => [
    ...previous,
    ...(text === '' ? [] : splitCsv(text)),
  ]
  return { ...names(spec), placeholder: 'strings', help, initial: [], parse }
}

export function integer(spec: Names, help: string, initial = 0): Flag<number> {
  return value(spec, 'int', help, { initial, parse: parseInteger })
}

/** A size such as `512m`, in bytes. */
export function bytes(spec: Names, help: string): Flag<number> {
  return value(spec, 'bytes', help, { initial: 0, parse: parseSize })
}

/** As `bytes`, where -1 means unlimited. */
export function swapBytes(spec: Names, help: string): Flag<number> {
  return value(spec, 'bytes', help, { initial: 0, parse: (text) => (text === '-1' ? -1 : parseSize(text)) })
}

/** A Go duration such as `1m30s`, in nanoseconds. */
export function duration(spec: Names, help: string): Flag<number> {
  return value(spec, 'duration', help, { initial: 0, parse: parseDuration })
}

/** `name=value` filters, gathered by name. */
export function filter(spec: Names, help: string): Flag<Readonly<Record<string, readonly string[]>>> {
  return { ...names(spec), placeholder: 'filter', help, initial: {}, parse: addFilter }
}

export function hidden<T>(flag: Flag<T>): Flag<T> {
  return { ...flag, hidden: true }
}

/** The flag under one more name, which help does not list. */
export function alsoNamed<T>(name: string, flag: Flag<T>): Flag<T> {
  return { ...flag, also: [...(flag.also ?? []), name] }
}

function addFilter(
  text: string,
  previous: Readonly<Record<string, readonly string[]>>,
): Record<string, readonly string[]> {
  if (text === '') return previous
  const equals = text.indexOf('=')
  if (equals < 0)
    throw new Error('invalid filter: bad format of filter (expected name=value)'.replace('invalid filter: ', ''))
  const name = text.slice(0, equals).trim().toLowerCase()
  const wanted = text.slice(equals + 1).trim()
  return { ...previous, [name]: [...(Object.hasOwn(previous, name) ? (previous[name] ?? []) : []), wanted] }
}

const truths = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const falsehoods = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

function parseBoolean(text: string): boolean {
  if (truths.has(text)) return true
  if (falsehoods.has(text)) return false
  throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
}

export function parseInteger(text: string): number {
  if (!/^[+-]?(0[xX][0-9a-fA-F]+|\d+)$/.test(text)) {
    throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  const parsed = text.startsWith('-') ? -Number(text.slice(1)) : Number(text)
  if (Math.abs(parsed) > 2 ** 63)
    throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`)
  return parsed
}
