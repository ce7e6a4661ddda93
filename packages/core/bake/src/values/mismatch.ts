import { canConvert } from './convert.ts'
import { constraintName, isCollection, sameType, type Type, type TypeOf } from './types.ts'

/** Why a value of one type cannot become one of another, in the words of HCL. */
export function mismatch(got: Type, want: Type): string {
  if (got.kind === 'object' && want.kind === 'object') return mismatchOfObjects(got, want)
  if (isCollection(want)) {
    const isStructural = got.kind === 'tuple' || got.kind === 'object'
    if (isStructural && fits(got, want)) return mismatchOfElements(got, want)
    if (isCollection(got) && (got.kind === want.kind || (got.kind !== 'map' && want.kind !== 'map'))) {
      return `incorrect ${want.kind} element type: ${mismatch(got.element, want.element)}`
    }
  }
  return `${constraintName(want)} required`
}

const fits = (got: Type, want: TypeOf<'list' | 'set' | 'map'>): boolean =>
  (got.kind === 'tuple') !== (want.kind === 'map')

function mismatchOfElements(got: TypeOf<'tuple' | 'object'>, want: TypeOf<'list' | 'set' | 'map'>): string {
  if (want.element.kind === 'dynamic') return `all ${want.kind} elements must have the same type`
  const elements: [string, Type][] =
    got.kind === 'tuple'
      ? got.elements.map((type, index) => [`element ${index}`, type])
      : [...got.attributes].map(([name, type]) => [`element "${name}"`, type])
  for (const [name, type] of elements) {
    if (!sameType(type, want.element) && !canConvert(type, want.element)) {
      return `${name}: ${mismatch(type, want.element)}`
    }
  }
  return `all elements must be ${constraintName(want.element)}`
}

function mismatchOfObjects(got: TypeOf<'object'>, want: TypeOf<'object'>): string {
  const missing = [...want.attributes.keys()]
    .filter((name) => !got.attributes.has(name) && want.optional?.has(name) !== true)
    .toSorted()
    .map((name) => `"${name}"`)
  if (missing.length === 1) return `attribute ${missing[0]} is required`
  if (missing.length === 2) return `attributes ${missing[0]} and ${missing[1]} are required`
  if (missing.length > 2) return `attributes ${missing.slice(0, -1).join(', ')}, and ${missing.at(-1)} are required`
  for (const [name, type] of want.attributes) {
    const given = got.attributes.get(name)
    if (given !== undefined && !canConvert(given, type)) return `attribute "${name}": ${mismatch(given, type)}`
  }
  return 'incorrect object attributes'
}
