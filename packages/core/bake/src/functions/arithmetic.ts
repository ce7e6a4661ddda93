import { equal } from '../evaluate/operators.ts'
import {
  add,
  compare,
  type Decimal,
  divide,
  floor,
  fromDouble,
  fromInteger,
  isInteger,
  modulo,
  multiply,
  negate,
  toDouble,
  truncate,
} from '../values/decimal.ts'
import { bool, dynamic, number } from '../values/types.ts'
import { booleanValue, decimalOf, numberValue, textOf, type Value } from '../values/value.ts'
import { ArgumentFailure, CallFailure, define, type FunctionSpec, parameter } from './function.ts'

const zero = fromInteger(0)

const unary = (compute: (value: Decimal) => Decimal): FunctionSpec =>
  define([parameter('num', number)], ([value]) => numberValue(compute(decimalOf(value!))))

const binary = (compute: (a: Decimal, b: Decimal) => Value): FunctionSpec =>
  define([parameter('a', number), parameter('b', number)], ([a, b]) => compute(decimalOf(a!), decimalOf(b!)))

const logical = (compute: (a: boolean, b: boolean) => boolean): FunctionSpec =>
  define([parameter('a', bool), parameter('b', bool)], ([a, b]) =>
    booleanValue(compute(a!.data === true, b!.data === true)),
  )

const equality = (wanted: boolean): FunctionSpec => {
  const operand = (name: string) => ({ name, type: dynamic, allowsNull: true })
  return define([operand('a'), operand('b')], ([a, b]) => booleanValue(equal(a!, b!) === wanted))
}

/** The greatest or the least of numbers. */
const extreme = (sign: 1 | -1): FunctionSpec => ({
  parameters: [],
  variadic: parameter('numbers', number),
  call(args) {
    const [first, ...others] = args.map(decimalOf)
    if (first === undefined) throw new CallFailure('must pass at least one number')
    return numberValue(others.reduce((best, one) => (compare(one, best) * sign > 0 ? one : best), first))
  },
})

const divided = (compute: (a: Decimal, b: Decimal) => Decimal): FunctionSpec =>
  binary((a, b) => {
    if (b.mantissa === 0n) throw new CallFailure('divide by zero')
    return numberValue(compute(a, b))
  })

const ofDoubles = (names: [string, string], compute: (a: number, b: number) => number): FunctionSpec =>
  define([parameter(names[0], number), parameter(names[1], number)], ([a, b]) => {
    const result = fromDouble(compute(toDouble(decimalOf(a!)), toDouble(decimalOf(b!))))
    if (result === undefined) throw new CallFailure('the result is not a number')
    return numberValue(result)
  })

const alphabet = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'

const parseint = define([parameter('number', dynamic), parameter('base', number)], ([text, base]) => {
  if (text!.type.kind !== 'string') {
    throw new ArgumentFailure(0, `first argument must be a string, not ${text!.type.kind}`)
  }
  const radix = toDouble(decimalOf(base!))
  if (!Number.isInteger(radix) || radix < 2 || radix > 62) {
    throw new ArgumentFailure(1, 'base must be a whole number between 2 and 62 inclusive')
  }
  const parsed = parseDigits(textOf(text!), radix)
  if (parsed === undefined) throw new ArgumentFailure(0, `cannot parse "${textOf(text!)}" as a base ${radix} integer`)
  return numberValue(fromInteger(parsed))
})

function parseDigits(text: string, radix: number): bigint | undefined {
  const digits = text.replace(/^[+-]/, '')
  if (digits === '' || digits.length > 1000) return undefined
  let parsed = 0n
  for (const character of digits) {
    const digit = alphabet.indexOf(radix <= 36 ? character.toLowerCase() : character)
    if (digit === -1 || digit >= radix) return undefined
    parsed = parsed * BigInt(radix) + BigInt(digit)
  }
  return text.startsWith('-') ? -parsed : parsed
}

const order = (holds: (order: number) => boolean): FunctionSpec => binary((a, b) => booleanValue(holds(compare(a, b))))

export const arithmeticFunctions: Readonly<Record<string, FunctionSpec>> = {
  absolute: unary((value) => (value.mantissa < 0n ? negate(value) : value)),
  add: binary((a, b) => numberValue(add(a, b))),
  subtract: binary((a, b) => numberValue(add(a, negate(b)))),
  multiply: binary((a, b) => numberValue(multiply(a, b))),
  divide: divided(divide),
  modulo: divided(modulo),
  negate: unary(negate),
  ceil: unary((value) => negate(floor(negate(value)))),
  floor: unary(floor),
  int: unary((value) => (isInteger(value) ? value : truncate(value))),
  signum: unary((value) => fromInteger(compare(value, zero))),
  log: ofDoubles(['num', 'base'], (value, base) => Math.log(value) / Math.log(base)),
  pow: ofDoubles(['num', 'power'], (value, power) => value ** power),
  max: extreme(1),
  min: extreme(-1),
  parseint,
  lessthan: order((one) => one < 0),
  lessthanorequalto: order((one) => one <= 0),
  greaterthan: order((one) => one > 0),
  greaterthanorequalto: order((one) => one >= 0),
  equal: equality(true),
  notequal: equality(false),
  and: logical((a, b) => a && b),
  or: logical((a, b) => a || b),
  not: define([parameter('val', bool)], ([value]) => booleanValue(value!.data !== true)),
}
