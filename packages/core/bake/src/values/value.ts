import { compare, type Decimal, formatNumber, fromInteger } from './decimal.ts'
import { bool, dynamic, number, sameType, string, type Type, typeName } from './types.ts'

/** Null, undefined for what is not known (since its expression failed), or what there is. */
export type ValueData = null | undefined | string | boolean | Decimal | readonly Value[] | ReadonlyMap<string, Value>

/** A value with its type. `size` counts what is in it as if nothing were shared, so that a walk over it is bounded. */
export interface Value {
  readonly type: Type
  readonly data: ValueData
  readonly size: number
  readonly depth: number
}

/** What an expression makes is greater than any bake file needs. */
export class ValueLimitError extends Error {}

const greatestSize = 200_000
const greatestDepth = 200
const charactersPerUnit = 64

export const unknown: Value = { type: dynamic, data: undefined, size: 1, depth: 0 }
export const nullOf = (type: Type): Value => ({ type, data: null, size: 1, depth: 0 })
export const booleanValue = (data: boolean): Value => ({ type: bool, data, size: 1, depth: 0 })
export const numberValue = (data: Decimal): Value => ({ type: number, data, size: 4, depth: 0 })
export const integerValue = (data: number | bigint): Value => numberValue(fromInteger(data))

export function stringValue(data: string): Value {
  const size = 1 + Math.ceil(data.length / charactersPerUnit)
  if (size > greatestSize) throw new ValueLimitError('a string of more than 12 MiB')
  return { type: string, data: data.normalize('NFC'), size, depth: 0 }
}

function compound(type: Type, data: ValueData, children: Iterable<Value>): Value {
  let size = 1
  let depth = 0
  for (const child of children) {
    size += child.size
    if (size > greatestSize) throw new ValueLimitError(`a value with more than ${greatestSize} parts`)
    depth = Math.max(depth, child.depth + 1)
  }
  if (depth > greatestDepth) throw new ValueLimitError(`a value nested more than ${greatestDepth} levels deep`)
  return { type, data, size, depth }
}

export const tupleValue = (data: readonly Value[]): Value =>
  compound({ kind: 'tuple', elements: data.map(({ type }) => type) }, data, data)

/** All of one type, which is that of the elements. */
export const listValue = (element: Type, data: readonly Value[]): Value =>
  compound({ kind: 'list', element }, data, data)

/** Without what is equal to another one, in the order of a set. */
export function setValue(element: Type, items: readonly Value[]): Value {
  const data = distinct(items).toSorted(orderInSet)
  return compound({ kind: 'set', element }, data, data)
}

const sorted = (entries: Iterable<readonly [string, Value]>): Map<string, Value> =>
  new Map([...entries].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))

export function objectValue(entries: Iterable<readonly [string, Value]>): Value {
  const data = sorted(entries)
  const attributes = new Map([...data].map(([name, { type }]) => [name, type]))
  return compound({ kind: 'object', attributes }, data, data.values())
}

export function mapValue(element: Type, entries: Iterable<readonly [string, Value]>): Value {
  const data = sorted(entries)
  return compound({ kind: 'map', element }, data, data.values())
}

export const isKnown = ({ data }: Value): boolean => data !== undefined
/** Known, and so is everything in it. */
export function isWhollyKnown(value: Value): boolean {
  if (value.data instanceof Map) return [...value.data.values()].every(isWhollyKnown)
  return Array.isArray(value.data) ? value.data.every(isWhollyKnown) : isKnown(value)
}
export const isNull = ({ data }: Value): boolean => data === null

/** What the value is made of, for values of that type. */
export const textOf = ({ data }: Value): string => data as string
export const decimalOf = ({ data }: Value): Decimal => data as Decimal
export const itemsOf = ({ data }: Value): readonly Value[] => data as readonly Value[]
export const entriesOf = ({ data }: Value): ReadonlyMap<string, Value> => data as ReadonlyMap<string, Value>

export const canIterate = ({ type, data }: Value): boolean =>
  data !== null && (type.kind === 'object' || type.kind === 'map' || Array.isArray(data))

/** Keys and elements, in order: an index, a name, or for a set the element again. */
export function elementsOf(value: Value): [key: Value, element: Value][] {
  if (value.data instanceof Map) {
    return [...entriesOf(value)].map(([name, element]) => [stringValue(name), element])
  }
  const isSet = value.type.kind === 'set'
  return itemsOf(value).map((element, index) => [isSet ? element : integerValue(index), element])
}

/** Of the same type and the same content; nulls are equal when their types are. */
export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true
  if (!sameType(a.type, b.type)) return false
  return sameData(a.data, b.data)
}

function sameData(a: ValueData, b: ValueData): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((one: Value, index) => sameValue(one, b[index]))
  }
  if (a instanceof Map && b instanceof Map) {
    return (
      a.size === b.size && [...a].every(([name, one]: [string, Value]) => b.has(name) && sameValue(one, b.get(name)))
    )
  }
  return 'mantissa' in a && 'mantissa' in b && compare(a, b) === 0
}

/** A text that two values have in common when they are the same. */
export function keyOf({ type, data }: Value): string {
  if (data === null || data === undefined) return `${typeName(type)}:${String(data)}`
  if (Array.isArray(data)) return `${type.kind}[${data.map((one: Value) => keyOf(one)).join(',')}]`
  if (data instanceof Map) {
    return `${type.kind}{${[...data].map(([name, one]: [string, Value]) => `${JSON.stringify(name)}:${keyOf(one)}`).join(',')}}`
  }
  if (typeof data === 'object' && 'mantissa' in data) return formatNumber(data)
  return JSON.stringify(data)
}

/** The first of those that are equal. */
export function distinct(items: readonly Value[]): Value[] {
  const found = new Map<string, Value>()
  for (const item of items) {
    const key = keyOf(item)
    if (!found.has(key)) found.set(key, item)
  }
  return [...found.values()]
}

function orderInSet(a: Value, b: Value): number {
  if (a.type.kind === 'number' && b.type.kind === 'number' && a.data && b.data)
    return compare(decimalOf(a), decimalOf(b))
  const [x, y] = [keyOf(a), keyOf(b)]
  return x < y ? -1 : x > y ? 1 : 0
}
