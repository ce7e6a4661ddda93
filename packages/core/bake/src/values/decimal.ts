/** mantissa × 10^exponent; the mantissa has no zeros at its end, and at most 155 digits (what 512 bits of a binary float hold). */
export interface Decimal {
  readonly mantissa: bigint
  readonly exponent: number
}

const digits = 155
const greatestExponent = 10_000
const written = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/

/** Undefined for what is no decimal number, or beyond 10^±10000. */
export function parseNumber(text: string): Decimal | undefined {
  const match = written.exec(text)
  if (match === null || text.length > greatestExponent) return undefined
  const [, sign, whole, fraction = '', exponent = '0'] = match
  const mantissa = BigInt(whole! + fraction) * (sign === '-' ? -1n : 1n)
  const power = Number(exponent)
  if (Math.abs(power) > greatestExponent) return undefined
  return normalize(mantissa, power - fraction.length)
}

export const fromInteger = (value: number | bigint): Decimal => normalize(BigInt(value), 0)

/** A double; undefined when it is not finite. */
export function fromDouble(value: number): Decimal | undefined {
  return Number.isFinite(value) ? parseNumber(String(value)) : undefined
}

export function normalize(mantissa: bigint, exponent: number): Decimal {
  if (mantissa === 0n) return { mantissa, exponent: 0 }
  const excess = String(mantissa).replace('-', '').length - digits
  if (excess > 0) return normalize(divideRounding(mantissa, 10n ** BigInt(excess)), exponent + excess)
  const zeros = /0*$/.exec(String(mantissa))![0].length
  if (Math.abs(exponent + zeros) > 2 * greatestExponent) throw new RangeError('number out of range')
  return { mantissa: mantissa / 10n ** BigInt(zeros), exponent: exponent + zeros }
}

const absolute = (value: bigint): bigint => (value < 0n ? -value : value)

/** To the nearest, half away from zero. */
function divideRounding(value: bigint, by: bigint): bigint {
  const quotient = value / by
  const rest = absolute(value % by) * 2n
  if (rest < absolute(by)) return quotient
  return quotient + (value < 0n === by < 0n ? 1n : -1n)
}

/** Both mantissas at the lesser exponent. */
function align(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const exponent = Math.min(a.exponent, b.exponent)
  const scale = (one: Decimal): bigint => one.mantissa * 10n ** BigInt(one.exponent - exponent)
  return [scale(a), scale(b), exponent]
}

export function add(a: Decimal, b: Decimal): Decimal {
  const [x, y, exponent] = align(a, b)
  return normalize(x + y, exponent)
}

export const negate = ({ mantissa, exponent }: Decimal): Decimal => ({ mantissa: -mantissa, exponent })

export const multiply = (a: Decimal, b: Decimal): Decimal => normalize(a.mantissa * b.mantissa, a.exponent + b.exponent)

/** The divisor is not zero. */
export function divide(a: Decimal, b: Decimal): Decimal {
  const shift = digits + String(b.mantissa).length
  const quotient = (a.mantissa * 10n ** BigInt(shift)) / b.mantissa
  return normalize(quotient, a.exponent - b.exponent - shift)
}

/** What is left of a division whose result is cut to a whole number. */
export function modulo(a: Decimal, b: Decimal): Decimal {
  const [x, y, exponent] = align(a, b)
  return normalize(x % y, exponent)
}

export function compare(a: Decimal, b: Decimal): number {
  const [x, y] = align(a, b)
  return x < y ? -1 : x > y ? 1 : 0
}

export const isInteger = ({ exponent }: Decimal): boolean => exponent >= 0

export const toDouble = ({ mantissa, exponent }: Decimal): number => Number(`${mantissa}e${exponent}`)

/** Towards zero. */
export function truncate(value: Decimal): Decimal {
  if (isInteger(value)) return value
  return normalize(value.mantissa / 10n ** BigInt(-value.exponent), 0)
}

/** Towards negative infinity. */
export function floor(value: Decimal): Decimal {
  const cut = truncate(value)
  return isInteger(value) || value.mantissa > 0n ? cut : add(cut, fromInteger(-1))
}

/** Without an exponent, as many places as there are. */
export function formatNumber({ mantissa, exponent }: Decimal): string {
  if (exponent >= 0) return String(mantissa) + '0'.repeat(exponent)
  const sign = mantissa < 0n ? '-' : ''
  const text = String(absolute(mantissa)).padStart(1 - exponent, '0')
  return `${sign}${text.slice(0, exponent)}.${text.slice(exponent)}`
}
