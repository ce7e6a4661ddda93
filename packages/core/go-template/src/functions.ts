import { escapeHtml, escapeQuery, escapeScript, toJson } from './escape.ts'
import { formatValue, sprint, sprintf, sprintln } from './format.ts'
import { absentElement, goKey, type GoKind, isTrue, kindOf, lengthOf, numberOf, typeName } from './value.ts'

/** What a parameter accepts; `any` takes every value. */
export type ParameterType = 'any' | 'string' | 'int' | 'strings'

export interface TemplateFunction {
  readonly parameters: readonly ParameterType[]
  /** The last parameter may occur any number of times, or not at all. */
  readonly variadic?: boolean
  /** Throws plain Errors for what the template's author did wrong. */
  call(...args: unknown[]): unknown
}

export type FunctionTable = Readonly<Record<string, TemplateFunction>>

const variadic = (call: (...args: unknown[]) => unknown, ...parameters: ParameterType[]): TemplateFunction => ({
  parameters,
  variadic: true,
  call,
})

/** The functions of text/template. `and` and `or` are here for their names: the executor evaluates them lazily. */
export const builtins: FunctionTable = {
  and: variadic((...values) => values.find((one) => !isTrue(one)) ?? values.at(-1), 'any', 'any'),
  or: variadic((...values) => values.find(isTrue) ?? values.at(-1), 'any', 'any'),
  not: { parameters: ['any'], call: (value) => !isTrue(value) },
  call: variadic(refuseCall, 'any', 'any'),
  len: { parameters: ['any'], call: length },
  index: variadic((value, ...keys) => keys.reduce(indexOne, value), 'any', 'any'),
  slice: variadic(slice, 'any', 'any'),
  print: variadic((...values) => sprint(values), 'any'),
  println: variadic((...values) => sprintln(values), 'any'),
  printf: variadic((format, ...values) => sprintf(String(format), values), 'string', 'any'),
  html: variadic((...values) => escapeHtml(evalArgs(values)), 'any'),
  js: variadic((...values) => escapeScript(evalArgs(values)), 'any'),
  urlquery: variadic((...values) => escapeQuery(evalArgs(values)), 'any'),
  eq: variadic(equalsAny, 'any', 'any'),
  ne: { parameters: ['any', 'any'], call: (a, b) => !equals(a, b) },
  lt: { parameters: ['any', 'any'], call: (a, b) => compare(a, b) < 0 },
  le: { parameters: ['any', 'any'], call: (a, b) => compare(a, b) <= 0 },
  gt: { parameters: ['any', 'any'], call: (a, b) => compare(a, b) > 0 },
  ge: { parameters: ['any', 'any'], call: (a, b) => compare(a, b) >= 0 },
}

/** The functions that docker adds for `--format`. */
export const dockerFunctions: FunctionTable = {
  json: { parameters: ['any'], call: toJson },
  split: { parameters: ['string', 'string'], call: (text, separator) => split(String(text), String(separator)) },
  join: { parameters: ['strings', 'string'], call: (parts, separator) => (parts as string[]).join(String(separator)) },
  title: { parameters: ['string'], call: (text) => String(text).replace(/(?<![\p{L}\p{N}_])\p{L}/gu, toUpper) },
  lower: { parameters: ['string'], call: (text) => String(text).toLowerCase() },
  upper: { parameters: ['string'], call: (text) => String(text).toUpperCase() },
  pad: { parameters: ['string', 'int', 'int'], call: padWithSpaces },
  truncate: {
    parameters: ['string', 'int'],
    call: (text, length) =>
      Buffer.from(String(text))
        .subarray(0, Math.max(0, Number(length)))
        .toString(),
  },
}

function toUpper(text: string): string {
  return text.toUpperCase()
}

function split(text: string, separator: string): string[] {
  return separator === '' ? [...text] : text.split(separator)
}

const maxPadding = 1_000_000

function padWithSpaces(text: unknown, before: unknown, after: unknown): string {
  if (text === '') return ''
  return spaces(before) + String(text) + spaces(after)
}

function spaces(count: unknown): string {
  return ' '.repeat(Math.min(maxPadding, Math.max(0, Number(count))))
}

function refuseCall(value: unknown): never {
  throw new Error(`non-function of type ${typeName(value)}`)
}

function evalArgs(values: readonly unknown[]): string {
  const only = values[0]
  return values.length === 1 && typeof only === 'string' ? only : sprint(values)
}

function length(value: unknown): number {
  const kind = kindOf(value)
  if (kind === 'string' || kind === 'slice' || kind === 'map') return lengthOf(value)
  if (kind === 'invalid' || kind === 'pointer') throw new Error('len of nil pointer')
  throw new Error(`len of type ${typeName(value)}`)
}

function indexOne(value: unknown, key: unknown): unknown {
  switch (kindOf(value)) {
    case 'slice':
    case 'string':
      return indexSequence(value, key)
    case 'map':
      return indexMap(value, key)
    case 'invalid':
      throw new Error('index of untyped nil')
    case 'pointer':
      throw new Error('index of nil pointer')
    default:
      throw new Error(`can't index item of type ${typeName(value)}`)
  }
}

function indexSequence(value: unknown, key: unknown): unknown {
  const sequence = typeof value === 'string' ? Buffer.from(value) : Array.isArray(value) ? value : []
  const at = position(key)
  if (at < 0 || at >= sequence.length) throw new Error(`index out of range: ${at}`)
  return sequence[at]
}

function indexMap(value: unknown, key: unknown): unknown {
  const keyType = (value as { [goKey]?: string })[goKey] ?? 'string'
  if (typeof key !== 'string' || keyType !== 'string') {
    throw new Error(`value has type ${typeName(key)}; should be ${keyType}`)
  }
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : absentElement(value as object)
}

function position(key: unknown): number {
  if (kindOf(key) === 'int') return Number(key)
  throw new Error(
    kindOf(key) === 'invalid'
      ? 'cannot index slice/array with nil'
      : `cannot index slice/array with type ${typeName(key)}`,
  )
}

function slice(value: unknown, ...bounds: unknown[]): unknown {
  if (bounds.length > 3) throw new Error(`too many slice indexes: ${bounds.length}`)
  if (typeof value === 'string' && bounds.length === 3) throw new Error('cannot 3-index slice a string')
  const sequence = typeof value === 'string' ? Buffer.from(value) : value
  if (!Array.isArray(sequence) && !Buffer.isBuffer(sequence)) {
    throw new Error(value === undefined ? 'slice of untyped nil' : `can't slice item of type ${typeName(value)}`)
  }
  const [from = 0, to = sequence.length] = bounds.map((bound) => checkBound(position(bound), sequence.length))
  if (from > to) throw new Error(`invalid slice index: ${from} > ${to}`)
  return Buffer.isBuffer(sequence) ? sequence.toString('utf8', from, to) : sequence.slice(from, to)
}

function checkBound(at: number, length: number): number {
  if (at < 0 || at > length) throw new Error(`index out of range: ${at}`)
  return at
}

function equalsAny(first: unknown, ...others: unknown[]): boolean {
  if (others.length === 0) throw new Error('missing argument for comparison')
  return others.map((other) => equals(first, other)).includes(true)
}

function equals(a: unknown, b: unknown): boolean {
  const [left, right] = [kindOf(a), kindOf(b)]
  if (isNil(left) || isNil(right)) return isNil(left) && isNil(right)
  for (const [kind, value] of [
    [left, a],
    [right, b],
  ] as const) {
    if (kind === 'slice' || kind === 'map')
      throw new Error(`non-comparable type ${formatValue(value)}: ${typeName(value)}`)
  }
  if (left !== right) throw new Error('incompatible types for comparison')
  return left === 'float' || left === 'int' ? numberOf(a) === numberOf(b) : a === b
}

function isNil(kind: GoKind): boolean {
  return kind === 'invalid' || kind === 'pointer'
}

function compare(a: unknown, b: unknown): number {
  const [left, right] = [kindOf(a), kindOf(b)]
  if (left !== right) throw new Error('incompatible types for comparison')
  if (left === 'string') return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)))
  if (left === 'int' || left === 'float') return numberOf(a) - numberOf(b)
  throw new Error('invalid type for comparison')
}

/** Throws an Error in Go's words if the function does not take that many arguments. */
export function checkCount(name: string, spec: TemplateFunction, count: number): void {
  const fixed = spec.parameters.length - (spec.variadic === true ? 1 : 0)
  if (spec.variadic === true ? count >= fixed : count === fixed) return
  const least = spec.variadic === true ? `at least ${fixed}` : String(fixed)
  throw new Error(`wrong number of args for ${name}: want ${least} got ${count}`)
}

/** The argument as the parameter at `index` takes it; throws an Error in Go's words. */
export function convertArgument(spec: TemplateFunction, index: number, value: unknown): unknown {
  const type = spec.parameters[index] ?? spec.parameters.at(-1) ?? 'any'
  if (type === 'any') return value
  if (type === 'strings') return toStrings(value)
  if (kindOf(value) === type) return value
  if (kindOf(value) === 'invalid') throw new Error(`invalid value; expected ${type}`)
  throw new Error(`wrong type for value; expected ${type}; got ${typeName(value)}`)
}

function toStrings(value: unknown): string[] {
  if (kindOf(value) === 'slice' && !Array.isArray(value)) return []
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value
  if (kindOf(value) === 'invalid') throw new Error('invalid value; expected []string')
  throw new Error(`wrong type for value; expected []string; got ${typeName(value)}`)
}
