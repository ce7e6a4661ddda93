import { invalid } from '@berth/base'

/** How one Go type is read from JSON. `zero` is what Go leaves where the field is absent or null. */
export interface Type<T> {
  /** Go's name of the type, for error messages. */
  readonly name: string
  zero(): T
  decode(value: unknown, at: Position): T
}

/** Where the decoder stands, for error messages: the Go struct's name and the path below it. */
export interface Position {
  readonly root: string
  readonly path: (string | number)[]
}

export const string = named<string>('string')

/** A string type of Go's with a name of its own; its values are checked by whoever uses them. */
export function named<T extends string>(name: string): Type<T> {
  return {
    name,
    zero: () => '' as T,
    decode: (value, at) => (typeof value === 'string' ? (value as T) : mismatch(value, name, at)),
  }
}

export const bool: Type<boolean> = {
  name: 'bool',
  zero: () => false,
  decode: (value, at) => (typeof value === 'boolean' ? value : mismatch(value, 'bool', at)),
}

function integer(name: string, lowest: number, highest: number): Type<number> {
  return {
    name,
    zero: () => 0,
    decode(value, at) {
      if (typeof value !== 'number') return mismatch(value, name, at)
      if (!Number.isInteger(value) || value < lowest || value > highest) return mismatch(value, name, at, ` ${value}`)
      return value
    },
  }
}

export const int64 = integer('int64', -(2 ** 63), 2 ** 63)
export const int = integer('int', -(2 ** 63), 2 ** 63)
export const duration = integer('time.Duration', -(2 ** 63), 2 ** 63)
export const uint64 = integer('uint64', 0, 2 ** 64)
export const uint16 = integer('uint16', 0, 65_535)
export const fileMode = integer('fs.FileMode', 0, 2 ** 32 - 1)

/** `struct {}`: any object. */
export const empty: Type<Record<string, never>> = {
  name: 'struct {}',
  zero: () => ({}),
  decode: (value, at) => (isObject(value) ? {} : mismatch(value, 'struct {}', at)),
}

export function list<T>(element: Type<T>): Type<T[] | null> {
  const name = `[]${element.name}`
  return {
    name,
    zero: () => null,
    decode(value, at) {
      if (!Array.isArray(value)) return mismatch(value, name, at)
      return value.map((item: unknown, index) => descend(element, item, at, index))
    },
  }
}

/** A list that is `[]` where it is absent. */
export const listOrEmpty = <T>(element: Type<T>): Type<T[]> => withZero(list(element), () => []) as Type<T[]>

/** strslice.StrSlice: a string stands for a list of one. */
export const stringOrList: Type<string[] | null> = {
  name: '[]string',
  zero: () => null,
  decode(value) {
    if (typeof value === 'string') return [value]
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value as string[]
    throw invalid(`invalid JSON: json: cannot unmarshal ${kindOf(value)} into Go value of type string`)
  },
}

/** Keys in the order in which Go's maps are written again. */
export function map<T>(element: Type<T>, name = `map[string]${element.name}`): Type<Record<string, T> | null> {
  return {
    name,
    zero: () => null,
    decode(value, at) {
      if (!isObject(value)) return mismatch(value, name, at)
      const keys = Object.keys(value).toSorted()
      return Object.fromEntries(keys.map((key) => [key, descend(element, value[key], at, key)]))
    },
  }
}

export const mapOrEmpty = <T>(element: Type<T>, name?: string): Type<Record<string, T>> =>
  withZero(map(element, name), () => ({})) as Type<Record<string, T>>

/** A pointer or an omitted field: absent stays absent. */
export function optional<T>(type: Type<T>): Type<NonNullable<T> | undefined> {
  return withZero(type, () => undefined) as Type<NonNullable<T> | undefined>
}

export const nullable = <T>(type: Type<T>): Type<T | null> => withZero(type, () => null)

/** `[2]uint`: missing numbers are 0, surplus ones are dropped. */
export const pair: Type<[number, number]> = {
  name: '[2]uint',
  zero: () => [0, 0],
  decode(value, at) {
    if (!Array.isArray(value)) return mismatch(value, '[2]uint', at)
    const uint = integer('uint', 0, 2 ** 64)
    const number = (index: number): number => descend(uint, value[index] as unknown, at, index)
    return [number(0), number(1)]
  },
}

export type Fields<T> = { readonly [K in keyof T]-?: Type<T[K]> }

/** A Go struct: unknown fields are ignored and names match without regard to case, as Go's decoder does. */
export function struct<T extends object>(name: string, fields: Fields<T>): Type<T> {
  const types = fields as Record<string, Type<unknown>>
  const names = Object.keys(types)
  const byLowerCase = new Map(names.map((field) => [field.toLowerCase(), field]))
  const zero = (): Record<string, unknown> => {
    const result: Record<string, unknown> = {}
    for (const field of names) {
      const absent = types[field]!.zero()
      if (absent !== undefined) result[field] = absent
    }
    return result
  }
  return {
    name,
    zero: () => zero() as T,
    decode(value, at) {
      if (!isObject(value)) return mismatch(value, name, at)
      const result = zero()
      for (const key of Object.keys(value)) {
        const field = byLowerCase.get(key.toLowerCase())
        const item = value[key]
        if (field === undefined || item === null) continue
        result[field] = descend(types[field]!, item, at, field)
      }
      return result as T
    },
  }
}

/** Reads a whole document; `root` is the Go struct's name in messages about its fields. */
export function decode<T>(type: Type<T>, value: unknown, root: string): T {
  return value === null ? type.zero() : type.decode(value, { root, path: [] })
}

function withZero<T, Z>(type: Type<T>, zero: () => Z): Type<T | Z> {
  return { name: type.name, zero, decode: (value, at) => type.decode(value, at) }
}

function descend<T>(type: Type<T>, value: unknown, at: Position, segment: string | number): T {
  if (value === null || value === undefined) return type.zero()
  at.path.push(segment)
  const result = type.decode(value, at)
  at.path.pop()
  return result
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const kindOf = (value: unknown): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value

function mismatch(value: unknown, type: string, at: Position, literal = ''): never {
  const subject = `invalid JSON: json: cannot unmarshal ${kindOf(value)}${literal} into`
  if (at.path.length === 0) throw invalid(`${subject} Go value of type ${type}`)
  const path = at.path.map((segment) => String(segment).replaceAll('~', '~0').replaceAll('/', '~1')).join('.')
  const what = /^\d+$/.test(String(at.path.at(-1))) ? '' : 'Go struct field '
  throw invalid(`${subject} ${what}${at.root}.${path} of type ${type}`)
}
