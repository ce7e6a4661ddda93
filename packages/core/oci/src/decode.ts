import { invalid } from '@berth/base'

/** Where a decoder stands in a document, for messages: `manifest.layers[3].digest`. */
export interface Place {
  readonly path: string
  readonly value: unknown
}

export type Fields = Readonly<Record<string, unknown>>
type Decode<T> = (place: Place) => T

/** The JSON in `bytes`; throws `invalid` naming the document. */
export function parseJson(bytes: Uint8Array | string, what: string): Place {
  const text = typeof bytes === 'string' ? bytes : decodeUtf8(bytes, what)
  try {
    return { path: what, value: JSON.parse(text) }
  } catch (cause) {
    throw invalid(`${what}: not valid JSON`, cause)
  }
}

function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw invalid(`${what}: not valid UTF-8`, cause)
  }
}

export function refuse(place: Place, expected: string): never {
  throw invalid(`${place.path}: expected ${expected}, got ${describe(place.value)}`)
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  return JSON.stringify(value).slice(0, 100)
}

/** A member of the object at `place`; a missing or null one has the value undefined. */
export function member(place: Place, name: string): Place {
  const fields = object(place)
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined
  return { path: `${place.path}.${name}`, value: value ?? undefined }
}

export function object(place: Place): Fields {
  const { value } = place
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(place, 'an object')
  return value as Fields
}

export function string(place: Place): string {
  return typeof place.value === 'string' ? place.value : refuse(place, 'a string')
}

export function boolean(place: Place): boolean {
  return typeof place.value === 'boolean' ? place.value : refuse(place, 'true or false')
}

/** An integer that a double holds exactly. */
export function integer(place: Place): number {
  return Number.isSafeInteger(place.value) ? (place.value as number) : refuse(place, 'an integer')
}

/** A size in bytes. */
export function size(place: Place): number {
  const value = integer(place)
  return value >= 0 ? value : refuse(place, 'a size')
}

/** What a hostile document may hold at most of anything. */
const maxEntries = 10_000

export function array<T>(place: Place, decode: Decode<T>): T[] {
  const { value, path } = place
  if (!Array.isArray(value)) return refuse(place, 'an array')
  if (value.length > maxEntries) throw invalid(`${path}: more than ${maxEntries} entries`)
  return value.map((entry: unknown, i) => decode({ path: `${path}[${i}]`, value: entry }))
}

export function record<T>(place: Place, decode: Decode<T>): Record<string, T> {
  const entries = Object.entries(object(place))
  if (entries.length > maxEntries) throw invalid(`${place.path}: more than ${maxEntries} entries`)
  // fromEntries defines own properties, so that a key `__proto__` stays a key.
  return Object.fromEntries(
    entries.map(([key, value]) => [key, decode({ path: `${place.path}[${JSON.stringify(key)}]`, value })]),
  )
}

/** `{ name: decoded }` when the member is there, else `{}`: to be spread. */
export function optional<Name extends string, T>(place: Place, name: Name, decode: Decode<T>): { [K in Name]?: T } {
  const at = member(place, name)
  return at.value === undefined ? {} : ({ [name]: decode(at) } as { [K in Name]?: T })
}
