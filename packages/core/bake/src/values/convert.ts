import { formatNumber, parseNumber } from './decimal.ts'
import { mismatch } from './mismatch.ts'
import { isCollection, isPrimitive, sameType, type Type, type TypeOf } from './types.ts'
import { unifyTypes } from './unify.ts'
import {
  booleanValue,
  decimalOf,
  entriesOf,
  isKnown,
  isNull,
  itemsOf,
  listValue,
  mapValue,
  nullOf,
  numberValue,
  objectValue,
  setValue,
  stringValue,
  textOf,
  tupleValue,
  type Value,
} from './value.ts'

/** A value that is not of the type that is asked for; the message says why, and for what is inside, where. */
export class ConversionError extends Error {}

/** Is there a way from one type to another? It may still fail for some values. */
export function canConvert(from: Type, to: Type): boolean {
  if (to.kind === 'dynamic' || from.kind === 'dynamic' || sameType(from, to)) return true
  if (isPrimitive(from) && isPrimitive(to)) return from.kind === 'string' || to.kind === 'string'
  if (isCollection(to)) return canCollect(from, to)
  if (to.kind === 'tuple') return from.kind === 'tuple' && canConvertAll(from.elements, to.elements)
  return to.kind === 'object' && canBecomeObject(from, to)
}

function canCollect(from: Type, to: TypeOf<'list' | 'set' | 'map'>): boolean {
  const elements = elementTypes(from, to.kind === 'map')
  if (elements === undefined) return false
  if (to.element.kind === 'dynamic') return elements.length === 0 || unifyTypes(elements) !== undefined
  return elements.every((one) => canConvert(one, to.element))
}

/** The types of what a value of that type is made of, when it is a map or object, or else a sequence. */
function elementTypes(from: Type, isMap: boolean): readonly Type[] | undefined {
  if (isMap) {
    if (from.kind === 'object') return [...from.attributes.values()]
    return from.kind === 'map' ? [from.element] : undefined
  }
  if (from.kind === 'tuple') return from.elements
  return from.kind === 'list' || from.kind === 'set' ? [from.element] : undefined
}

const canConvertAll = (from: readonly Type[], to: readonly Type[]): boolean =>
  from.length === to.length && from.every((one, index) => canConvert(one, to[index]!))

function canBecomeObject(from: Type, { attributes, optional }: TypeOf<'object'>): boolean {
  if (from.kind === 'map') return [...attributes.values()].every((type) => canConvert(from.element, type))
  if (from.kind !== 'object') return false
  return [...attributes].every(([name, type]) => {
    const given = from.attributes.get(name)
    return given === undefined ? optional?.has(name) === true : canConvert(given, type)
  })
}

/** The value as one of that type. */
export function convert(value: Value, to: Type): Value {
  if (to.kind === 'dynamic' || sameType(value.type, to)) return value
  if (!isKnown(value)) return { ...value, type: to }
  if (!canConvert(value.type, to)) throw new ConversionError(mismatch(value.type, to))
  if (isNull(value)) return nullOf(to)
  if (isPrimitive(to)) return convertPrimitive(value, to)
  if (to.kind === 'map') return convertToMap(value, to.element)
  if (isCollection(to)) return convertToSequence(value, to)
  if (to.kind === 'tuple') return tupleValue(itemsOf(value).map((one, index) => convert(one, to.elements[index]!)))
  return to.kind === 'object' ? convertToObject(value, to) : value
}

function convertPrimitive(value: Value, to: Type): Value {
  if (to.kind === 'string') {
    return stringValue(value.type.kind === 'number' ? formatNumber(decimalOf(value)) : String(value.data))
  }
  const text = textOf(value)
  if (to.kind === 'number') {
    const parsed = parseNumber(text)
    if (parsed === undefined) throw new ConversionError('a number is required')
    return numberValue(parsed)
  }
  if (text === 'true' || text === '1') return booleanValue(true)
  if (text === 'false' || text === '0') return booleanValue(false)
  const lower = text.toLowerCase()
  if (lower !== 'true' && lower !== 'false') throw new ConversionError('a bool is required')
  throw new ConversionError(`a bool is required; to convert from string, use lowercase "${lower}"`)
}

function elementType(wanted: Type, items: readonly Value[]): Type {
  return wanted.kind === 'dynamic' && items.length > 0 ? unifyTypes(items.map(({ type }) => type))! : wanted
}

function convertToMap(value: Value, wanted: Type): Value {
  const entries = [...entriesOf(value)]
  const element = elementType(
    wanted,
    entries.map(([, one]) => one),
  )
  return mapValue(
    element,
    entries.map(([name, one]) => [name, convert(one, element)]),
  )
}

function convertToSequence(value: Value, to: TypeOf<'list' | 'set' | 'map'>): Value {
  const items = itemsOf(value)
  const element = elementType(to.element, items)
  const converted = items.map((one) => convert(one, element))
  return to.kind === 'set' ? setValue(element, converted) : listValue(element, converted)
}

function convertToObject(value: Value, { attributes, optional }: TypeOf<'object'>): Value {
  const given = entriesOf(value)
  return objectValue(
    [...attributes].map(([name, type]) => {
      const one = given.get(name)
      if (one !== undefined) return [name, convert(one, type)]
      if (optional?.has(name) === true) return [name, nullOf(type)]
      throw new ConversionError(`map has no element for required attribute "${name}"`)
    }),
  )
}
