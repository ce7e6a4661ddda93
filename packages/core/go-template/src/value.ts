import { formatGoDuration } from '@berth/base'

/** The Go values that JSON cannot tell apart from others: what a nil slice, map or pointer prints as differs. */
export class GoNil {
  readonly kind: 'slice' | 'map' | 'pointer'

  constructor(kind: 'slice' | 'map' | 'pointer') {
    this.kind = kind
  }

  toJSON(): null {
    return null
  }
}

export const nilSlice = new GoNil('slice')
export const nilMap = new GoNil('map')
export const nilPointer = new GoNil('pointer')

/** A number that is a float64 in Go, even when it is whole. */
export class GoFloat {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }

  toJSON(): number {
    return this.value
  }
}

/** A time.Time: text when it is printed, not when it is JSON. */
export class GoTime {
  /** As RFC 3339, with as many decimals as there are. */
  readonly json: string

  constructor(json: string) {
    this.json = json
  }

  /** Go's own form: `2006-01-02 15:04:05.999999999 -0700 MST`; zones have no names but UTC. */
  get text(): string {
    const spaced = this.json.replace('T', ' ').replace(/Z$/, ' +0000 UTC')
    return spaced.replace(/([+-]\d\d):(\d\d)$/, ' $1$2 $1$2')
  }

  toJSON(): string {
    return this.json
  }
}

/** A time.Duration: a number of nanoseconds that prints as `1h0m0s`. */
export class GoDuration {
  readonly ns: number

  constructor(ns: number) {
    this.ns = ns
  }

  get text(): string {
    return formatGoDuration(this.ns)
  }

  valueOf(): number {
    return this.ns
  }

  toJSON(): number {
    return this.ns
  }
}

/** A function found as a field of the data, called as a Go method is. */
export type Method = (...args: never[]) => unknown

/** Names the Go type of an object in error messages; fields that it lacks are errors then. */
export const goType: unique symbol = Symbol('goType')

/** Marks an object as a Go map whose absent keys are no error; the value is what `index` gives for them. */
export const goElement: unique symbol = Symbol('goElement')

/** What Go's map has for a key that is not there; undefined without `goElement`. A nil map is one of strings mostly. */
export function absentElement(map: object): unknown {
  return map instanceof GoNil ? '' : (map as { [goElement]?: unknown })[goElement]
}

/** Marks an object as a Go map whose keys are of this type, so that no template can name one. */
export const goKey: unique symbol = Symbol('goKey')

/**
 * Marks an object as a struct: its fields in Go's order, each with the value that stands for an absent one. Structs print
 * as `{a b}` where maps print as `map[k:v]`.
 */
export const goFields: unique symbol = Symbol('goFields')
export type GoFields = ReadonlyMap<string, unknown>

export function fieldsOf(value: object): GoFields | undefined {
  return (value as { [goFields]?: GoFields })[goFields]
}

export type GoKind = 'invalid' | 'bool' | 'int' | 'float' | 'string' | 'slice' | 'map' | 'pointer' | 'func' | 'struct'

export function kindOf(value: unknown): GoKind {
  if (value === undefined || value === null) return 'invalid'
  if (value instanceof GoNil) return value.kind
  if (value instanceof GoFloat) return 'float'
  if (value instanceof GoTime) return 'struct'
  if (value instanceof GoDuration) return 'int'
  if (Array.isArray(value)) return 'slice'
  switch (typeof value) {
    case 'boolean':
      return 'bool'
    case 'string':
      return 'string'
    case 'bigint':
      return 'int'
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float'
    case 'function':
      return 'func'
    default:
      return 'map'
  }
}

/** The name of a value's type as Go's messages have it. */
export function typeName(value: unknown): string {
  const kind = kindOf(value)
  switch (kind) {
    case 'invalid':
      return 'nil'
    case 'float':
      return 'float64'
    case 'slice':
      return '[]interface {}'
    case 'map':
      return (value as { [goType]?: string })[goType] ?? 'map[string]interface {}'
    case 'func':
      return 'func()'
    case 'struct':
      return 'time.Time'
    case 'int':
      return value instanceof GoDuration ? 'time.Duration' : 'int'
    default:
      return kind
  }
}

/** Whether a value counts as true in if, and, or and not: neither zero nor empty. */
export function isTrue(value: unknown): boolean {
  switch (kindOf(value)) {
    case 'invalid':
    case 'pointer':
      return false
    case 'bool':
      return value === true
    case 'int':
      return Number(value) !== 0
    case 'float':
      return numberOf(value) !== 0
    case 'string':
      return value !== ''
    case 'slice':
    case 'map':
      return lengthOf(value) > 0
    case 'func':
    case 'struct':
      return true
  }
}

export function numberOf(value: unknown): number {
  return value instanceof GoFloat ? value.value : Number(value)
}

/** The number of elements; strings count bytes. */
export function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (Array.isArray(value)) return value.length
  return value instanceof GoNil || typeof value !== 'object' || value === null ? 0 : Object.keys(value).length
}

/** The entries of a map in the order that Go prints and ranges them. */
export function sortedEntries(value: object): [string, unknown][] {
  if (value instanceof GoNil) return []
  return Object.entries(value).toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}
