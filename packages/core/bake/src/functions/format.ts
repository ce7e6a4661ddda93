import { convert } from '../values/convert.ts'
import { formatNumber, isInteger, toDouble } from '../values/decimal.ts'
import { bool, dynamic, isSequence, number, string } from '../values/types.ts'
import { decimalOf, isNull, itemsOf, listValue, stringValue, textOf, type Value } from '../values/value.ts'
import { ArgumentFailure, CallFailure, type FunctionSpec, parameter } from './function.ts'
import { encodeJson, goJsonString } from './json.ts'

const verb = /%(?:%|([-+ #0]*)(\d*)(?:\.(\d+))?(?:\[(\d+)\])?([a-zA-Z]))/g
const greatestWidth = 10_000

interface Verb {
  readonly flags: string
  readonly precision: number | undefined
  readonly letter: string
}

/** Go's Printf, with the verbs that cty has. */
export function formatText(format: string, args: readonly Value[]): string {
  let next = 0
  let used = 0
  const formatted = format.replaceAll(
    verb,
    (all, flags = '', width = '', precision?: string, at?: string, letter = '%') => {
      if (all === '%%') return '%'
      if (Number(width) > greatestWidth || Number(precision ?? 0) > greatestWidth) {
        throw new CallFailure(`unsupported width in "${all}"`)
      }
      const position = at === undefined ? next : Number(at) - 1
      next = position + 1
      used = Math.max(used, next)
      const arg = args[position]
      if (arg === undefined) {
        throw new CallFailure(
          `not enough arguments for "${all}" at ${format.indexOf(all)}: need index ${position + 1} but have ${args.length} total`,
        )
      }
      const place = `${JSON.stringify(all)} at ${format.indexOf(all)}`
      const text = formatOne(
        { flags, precision: precision === undefined ? undefined : Number(precision), letter },
        arg,
        place,
      )
      return pad(text, Number(width), flags)
    },
  )
  const stray = /%(?!%)/.exec(format.replaceAll(verb, ''))
  if (stray !== null) throw new CallFailure(`unrecognized format character at offset ${format.lastIndexOf('%') + 1}`)
  if (used < args.length && !/\[\d+\]/.test(format)) {
    const known = used === 0 ? 'no verbs in format string' : `only ${used} used by format string`
    throw new ArgumentFailure(used + 1, `too many arguments; ${known}`)
  }
  return formatted
}

function pad(text: string, width: number, flags: string): string {
  if (flags.includes('-')) return text.padEnd(width)
  if (!flags.includes('0')) return text.padStart(width)
  const sign = /^[+-]/.exec(text)?.[0] ?? ''
  return sign + text.slice(sign.length).padStart(width - sign.length, '0')
}

function formatOne({ flags, precision, letter }: Verb, arg: Value, place: string): string {
  if (letter === 'v') return formatAny(arg, flags.includes('#'))
  if (isNull(arg)) throw new CallFailure(`unsupported value for ${place}: null value cannot be formatted`)
  switch (letter) {
    case 's':
    case 'q': {
      const text = textOf(as(arg, string, place))
      const cut = precision === undefined ? text : Array.from(text).slice(0, precision).join('')
      return letter === 'q' ? goJsonString(cut) : cut
    }
    case 't':
      return String(as(arg, bool, place).data)
    default:
      return formatNumeric({ flags, precision, letter }, as(arg, number, place), place)
  }
}

function as(arg: Value, type: typeof string, place: string): Value {
  try {
    return convert(arg, type)
  } catch (error) {
    throw new CallFailure(`unsupported value for ${place}: ${(error as Error).message}`)
  }
}

function formatAny(arg: Value, isJson: boolean): string {
  if (isJson || arg.data === null) return encodeJson(arg)
  const { kind } = arg.type
  if (kind === 'number') return formatGeneral(arg)
  return kind === 'string' || kind === 'bool' ? textOf(convert(arg, string)) : encodeJson(arg)
}

/** Go's %g: with an exponent from 21 digits on. */
function formatGeneral(arg: Value): string {
  const value = decimalOf(arg)
  const text = formatNumber(value)
  return text.replace('-', '').length <= 21 ? text : String(toDouble(value))
}

const integers: Readonly<Record<string, number>> = { d: 10, b: 2, o: 8, x: 16, X: 16 }

function formatNumeric({ flags, precision, letter }: Verb, arg: Value, place: string): string {
  const value = decimalOf(arg)
  const signed = (text: string): string => (flags.includes('+') && !text.startsWith('-') ? `+${text}` : text)
  const radix = integers[letter]
  if (radix !== undefined) {
    if (!isInteger(value)) throw new CallFailure(`unsupported value for ${place}: an integer is required`)
    const text = BigInt(formatNumber(value)).toString(radix)
    return signed(letter === 'X' ? text.toUpperCase() : text)
  }
  const double = toDouble(value)
  switch (letter) {
    case 'f':
    case 'F':
      return signed(double.toFixed(Math.min(precision ?? 6, 100)))
    case 'e':
    case 'E': {
      const text = double.toExponential(Math.min(precision ?? 6, 100)).replace(/e([+-])(\d)$/, 'e$10$2')
      return signed(letter === 'E' ? text.toUpperCase() : text)
    }
    case 'g':
    case 'G':
      return signed(
        precision === undefined ? String(double) : String(Number(double.toPrecision(Math.max(precision, 1)))),
      )
    default:
      throw new CallFailure(`unsupported format verb '${letter}' in ${place.replace(' at ', ' at offset ')}`)
  }
}

const anyArguments = { name: 'args', type: dynamic, allowsNull: true }

export const formatFunctions: Readonly<Record<string, FunctionSpec>> = {
  format: {
    parameters: [parameter('format', string)],
    variadic: anyArguments,
    call: ([format, ...args]) => stringValue(formatText(textOf(format!), args)),
  },
  formatlist: {
    parameters: [parameter('format', string)],
    variadic: anyArguments,
    call([format, ...args]) {
      const lists = args.filter((one) => isSequence(one.type) && !isNull(one))
      const first = lists[0]
      const count = first === undefined ? 1 : itemsOf(first).length
      const odd = lists.find((one) => itemsOf(one).length !== count)
      if (odd !== undefined) {
        const [at, firstAt] = [args.indexOf(odd) + 1, args.indexOf(first!) + 1]
        const detail = `argument ${at} has length ${itemsOf(odd).length}, which is inconsistent with argument ${firstAt} of length ${count}`
        throw new ArgumentFailure(at, detail)
      }
      const rows = Array.from({ length: count }, (_, at) =>
        stringValue(
          formatText(
            textOf(format!),
            args.map((one) => (lists.includes(one) ? itemsOf(one)[at]! : one)),
          ),
        ),
      )
      return listValue(string, rows)
    },
  },
}
