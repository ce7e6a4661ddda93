import { quote } from './quote.ts'
import {
  fieldsOf,
  type GoFields,
  GoDuration,
  GoNil,
  GoTime,
  kindOf,
  numberOf,
  sortedEntries,
  typeName,
} from './value.ts'

/** As fmt.Sprint of one value: the `%v` form. */
export function formatValue(value: unknown): string {
  return formatNested(value, { plus: false, top: true })
}

interface ValueStyle {
  readonly plus: boolean
  readonly top: boolean
}

function formatNested(value: unknown, style: ValueStyle): string {
  if (value === null || value === undefined) return '<nil>'
  if (value instanceof GoNil) return { pointer: '<nil>', slice: '[]', map: 'map[]' }[value.kind]
  if (typeof value === 'string') return value
  if (value instanceof GoTime || value instanceof GoDuration) return value.text
  if (Array.isArray(value)) return `[${value.map((one) => formatNested(one, { ...style, top: false })).join(' ')}]`
  switch (kindOf(value)) {
    case 'float':
      return formatFloat(numberOf(value), 'v', undefined)
    case 'map': {
      const fields = fieldsOf(value)
      if (fields !== undefined) return formatStruct(value as Record<string, unknown>, fields, style)
      const entries = sortedEntries(value)
      return `map[${entries.map(([key, one]) => `${key}:${formatNested(one, { ...style, top: false })}`).join(' ')}]`
    }
    default:
      return String(value)
  }
}

function formatStruct(value: Readonly<Record<string, unknown>>, fields: GoFields, style: ValueStyle): string {
  const parts = [...fields].map(([name, zero]) => {
    const text = formatNested(value[name] ?? zero, { ...style, top: false })
    return style.plus ? `${name}:${text}` : text
  })
  return `{${parts.join(' ')}}`
}

/** As fmt.Sprint: a space between operands when neither is a string. */
export function sprint(values: readonly unknown[]): string {
  let out = ''
  values.forEach((value, index) => {
    const spaced = index > 0 && typeof value !== 'string' && typeof values[index - 1] !== 'string'
    out += (spaced ? ' ' : '') + formatValue(value)
  })
  return out
}

/** As fmt.Sprintln. */
export function sprintln(values: readonly unknown[]): string {
  return `${values.map(formatValue).join(' ')}\n`
}

interface Directive {
  readonly flags: string
  readonly width: number | undefined
  readonly precision: number | undefined
  readonly verb: string
}

/** Wider than this, Go reports a bad width; it also keeps a template from filling the memory. */
const maxWidth = 1_000_000

/** A directive's parts: flags, `[n]*` or a width, `.[n]*` or a precision, `[n]`, the verb. */
const directivePattern = /%([+\-# 0]*)(?:(\[\d+\])?(\*)|(\d+))?(?:\.(?:(\[\d+\])?(\*)|(\d*)))?(\[\d+\])?([\s\S]|$)/gu

class BadIndex extends Error {}

/** The arguments of a Sprintf: taken in turn, or by their number. */
class Arguments {
  readonly #values: readonly unknown[]
  #used = 0
  #isReordered = false

  constructor(values: readonly unknown[]) {
    this.#values = values
  }

  get isAtEnd(): boolean {
    return this.#used >= this.#values.length
  }

  next(): unknown {
    return this.#values[this.#used++]
  }

  /** `[n]`: the next one is the nth. Throws BadIndex if there is none. */
  goTo(place: string | undefined): void {
    if (place === undefined) return
    this.#isReordered = true
    const at = Number(place.slice(1, -1))
    if (at < 1 || at > this.#values.length) throw new BadIndex()
    this.#used = at - 1
  }

  /** Those that nothing asked for; with numbers nobody knows. */
  rest(): readonly unknown[] {
    return this.#isReordered ? [] : this.#values.slice(this.#used)
  }
}

/** As fmt.Sprintf. */
export function sprintf(format: string, values: readonly unknown[]): string {
  const given = new Arguments(values)
  const out = format.replace(directivePattern, (...parts) => formatOne(given, parts as (string | undefined)[]))
  const extra = given.rest().map(describe)
  return extra.length === 0 ? out : `${out}%!(EXTRA ${extra.join(', ')})`
}

function formatOne(given: Arguments, parts: readonly (string | undefined)[]): string {
  const [, flags = '', widthPlace, widthStar, width, precisionPlace, precisionStar, precision, place, verb = ''] = parts
  const size = (at: string | undefined, star: string | undefined, text: string | undefined): number | undefined => {
    given.goTo(at)
    if (star !== undefined) return Number(given.next())
    return text === undefined ? undefined : Number(text)
  }
  try {
    const asked = {
      width: size(widthPlace, widthStar, width),
      precision: size(precisionPlace, precisionStar, precision),
    }
    if (verb === '%') return '%'
    if (verb === '') return '%!(NOVERB)'
    given.goTo(place)
    if (given.isAtEnd) return `%!${verb}(MISSING)`
    if (Math.abs(asked.width ?? 0) > maxWidth) return '%!(BADWIDTH)'
    if ((asked.precision ?? 0) > maxWidth) return '%!(BADPREC)'
    return formatDirective({ flags, ...asked, verb }, given.next())
  } catch (error) {
    if (error instanceof BadIndex) return `%!${verb}(BADINDEX)`
    throw error
  }
}

function describe(value: unknown): string {
  return value === null || value === undefined ? '<nil>' : `${typeName(value)}=${formatValue(value)}`
}

function formatDirective(directive: Directive, value: unknown): string {
  const { verb } = directive
  if (verb === 'T') return pad(value === null || value === undefined ? '<nil>' : typeName(value), directive)
  if (Array.isArray(value) && verb !== 'v') {
    return `[${value.map((one) => formatDirective(directive, one)).join(' ')}]`
  }
  const text = formatVerb(directive, value)
  if (text === undefined) {
    return `%!${verb}(${describe(value)})`
  }
  return pad(text, directive)
}

function formatVerb(directive: Directive, value: unknown): string | undefined {
  switch (kindOf(value)) {
    case 'bool':
      return directive.verb === 't' || directive.verb === 'v' ? String(value) : undefined
    case 'string':
      return formatString(directive, String(value))
    case 'int':
      if (value instanceof GoDuration && 'vs'.includes(directive.verb)) return value.text
      return formatInt(directive, BigInt(value as number | bigint))
    case 'float':
      return formatFloatVerb(directive, numberOf(value))
    default:
      return formatOther(directive, value)
  }
}

function formatOther(directive: Directive, value: unknown): string | undefined {
  if (directive.verb !== 'v' && directive.verb !== 's') return undefined
  if (directive.verb === 's' && (value === null || value === undefined)) return undefined
  return formatNested(value, { plus: directive.flags.includes('+'), top: true })
}

function formatString(directive: Directive, value: string): string | undefined {
  const { flags, precision, verb } = directive
  const text = precision === undefined ? value : [...value].slice(0, precision).join('')
  switch (verb) {
    case 's':
      return text
    case 'v':
      return flags.includes('#') ? quote(text) : text
    case 'q':
      return flags.includes('#') && !/[`\p{Cc}]/u.test(text) ? `\`${text}\`` : quote(text)
    case 'x':
    case 'X': {
      const hex = Buffer.from(text).toString('hex')
      const parts = flags.includes(' ') ? (hex.match(/../g) ?? []).join(' ') : hex
      return verb === 'X' ? parts.toUpperCase() : parts
    }
    default:
      return undefined
  }
}

const bases: Record<string, number> = { d: 10, v: 10, b: 2, o: 8, O: 8, x: 16, X: 16 }

function formatInt(directive: Directive, value: bigint): string | undefined {
  const { flags, verb } = directive
  if (verb === 'c') return String.fromCodePoint(Number(value))
  if (verb === 'q') return quote(String.fromCodePoint(Number(value)), "'")
  if (verb === 'U') return `U+${value.toString(16).toUpperCase().padStart(4, '0')}`
  if (!Object.hasOwn(bases, verb)) return undefined
  const magnitude = value < 0n ? -value : value
  let digits = magnitude.toString(bases[verb]).padStart(directive.precision ?? 0, '0')
  if (verb === 'X') digits = digits.toUpperCase()
  const prefix = verb === 'O' ? '0o' : flags.includes('#') ? intPrefix(verb) : ''
  const sign = value < 0n ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
  return zeroPad(sign + prefix, digits, directive)
}

function intPrefix(verb: string): string {
  if (verb === 'x' || verb === 'X') return `0${verb}`
  return verb === 'o' ? '0' : verb === 'b' ? '0b' : ''
}

function formatFloatVerb(directive: Directive, value: number): string | undefined {
  const { flags, verb, precision } = directive
  if (!'eEfFgGv'.includes(verb)) return undefined
  const text = formatFloat(Math.abs(value), verb, precision)
  const negative = value < 0 || Object.is(value, -0)
  const sign = negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
  // A precision counts decimals here, not digits: it leaves the zeros their width.
  return zeroPad(sign, text, { ...directive, precision: undefined })
}

/** As strconv.FormatFloat; `v` is the shortest form, with an exponent from 1e+06 on. */
function formatFloat(value: number, verb: string, precision: number | undefined): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const digits = Math.min(precision ?? 6, 100)
  switch (verb) {
    case 'f':
    case 'F':
      return value.toFixed(digits)
    case 'e':
      return goExponent(value.toExponential(digits))
    case 'E':
      return goExponent(value.toExponential(digits)).toUpperCase()
    default:
      return formatShortest(value, precision, verb)
  }
}

function formatShortest(value: number, precision: number | undefined, verb: string): string {
  const exponential = precision === undefined ? value.toExponential() : value.toExponential(Math.max(0, precision - 1))
  const exponent = Number(exponential.slice(exponential.indexOf('e') + 1))
  const limit = precision === undefined ? 6 : precision
  const text =
    exponent < -4 || exponent >= limit
      ? goExponent(exponential.replace(/\.?0+e/, 'e'))
      : precision === undefined
        ? value.toFixed(Math.max(0, decimals(exponential) - exponent))
        : String(Number(exponential))
  return verb === 'G' ? text.toUpperCase() : text
}

/** The digits after the point of a mantissa. */
function decimals(exponential: string): number {
  const mantissa = exponential.slice(0, exponential.indexOf('e')).replace('-', '')
  return mantissa.includes('.') ? mantissa.length - 2 : 0
}

/** Go writes at least two digits of exponent. */
function goExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2')
}

function zeroPad(prefix: string, digits: string, { flags, width, precision }: Directive): string {
  const zeros =
    flags.includes('0') && !flags.includes('-') && precision === undefined ? (width ?? 0) - prefix.length : 0
  return prefix + digits.padStart(zeros, '0')
}

function pad(text: string, { flags, width }: Directive): string {
  const missing = Math.abs(width ?? 0) - [...text].length
  if (missing <= 0) return text
  const left = flags.includes('-') || (width ?? 0) < 0
  return left ? text + ' '.repeat(missing) : ' '.repeat(missing) + text
}
