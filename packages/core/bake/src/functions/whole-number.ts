import { toDouble } from '../values/decimal.ts'
import { decimalOf, type Value } from '../values/value.ts'
import { CallFailure } from './function.ts'

/** A number that must be whole. */
export function wholeNumber(value: Value): number {
  const whole = toDouble(decimalOf(value))
  if (Number.isSafeInteger(whole)) return whole
  throw new CallFailure('value must be a whole number, between -9223372036854775808 and 9223372036854775807')
}
