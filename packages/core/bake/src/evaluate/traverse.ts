import type { Reference, Step } from '../syntax/nodes.ts'
import type { Range } from '../syntax/source.ts'
import { suggest } from '../syntax/suggest.ts'
import { ConversionError, convert } from '../values/convert.ts'
import { isInteger, toDouble } from '../values/decimal.ts'
import { isPrimitive, number, string, typeName } from '../values/types.ts'
import { decimalOf, entriesOf, isKnown, isNull, itemsOf, textOf, unknown, type Value } from '../values/value.ts'
import { type Context, report } from './evaluate.ts'

export function evaluateReference({ root, rootRange, steps }: Reference, context: Context): Value {
  const value = context.scope.lookup(root)
  if (value !== undefined) return takeSteps(value, steps, context)
  const hint = suggest(root, context.scope.names())
  return report(context, 'Unknown variable', `There is no variable named "${root}".${hint}`, rootRange)
}

export function takeSteps(source: Value, steps: readonly Step[], context: Context): Value {
  let value = source
  for (const step of steps) {
    const before = context.problems.length
    value =
      step.kind === 'attribute'
        ? attribute(value, step.name, step.range, context)
        : index(value, step.key, step.range, context)
    if (context.problems.length > before) return unknown
  }
  return value
}

function attribute(value: Value, name: string, range: Range, context: Context): Value {
  const summary = 'Unsupported attribute'
  if (isNull(value)) {
    const detail = 'This value is null, so it does not have any attributes.'
    return report(context, 'Attempt to get attribute from null value', detail, range)
  }
  if (!isKnown(value)) return unknown
  const { type } = value
  if (type.kind === 'object') {
    const found = entriesOf(value).get(name)
    if (found !== undefined) return found
    return report(context, summary, `This object does not have an attribute named "${name}".`, range)
  }
  if (type.kind === 'map') {
    const found = entriesOf(value).get(name)
    if (found !== undefined) return found
    return report(context, 'Missing map element', `This map does not have an element with the key "${name}".`, range)
  }
  if (type.kind === 'list' && type.element.kind === 'object') {
    const which = type.element.attributes.has(name) ? `attribute "${name}"` : 'an attribute'
    const detail = `Can't access attributes on a list of objects. Did you mean to access ${which} for a specific element of the list, or across all elements of the list?`
    return report(context, summary, detail, range)
  }
  const detail = isPrimitive(type)
    ? `Can't access attributes on a primitive-typed value (${typeName(type)}).`
    : 'This value does not have any attributes.'
  return report(context, summary, detail, range)
}

const noElement = 'The given key does not identify an element in this collection value'

/** `collection[key]` */
export function index(collection: Value, key: Value, range: Range, context: Context): Value {
  const refuse = (detail: string): Value => report(context, 'Invalid index', detail, range)
  if (isNull(collection)) {
    const detail = 'This value is null, so it does not have any indices.'
    return report(context, 'Attempt to index null value', detail, range)
  }
  if (isNull(key)) return refuse("Can't use a null value as an indexing key.")
  if (!isKnown(key) || !isKnown(collection)) return unknown
  switch (collection.type.kind) {
    case 'list':
    case 'tuple':
      return converted(key, number, refuse, (at) => indexSequence(collection, at, refuse))
    case 'map':
    case 'object':
      return converted(key, string, refuse, (name) => {
        const hint = ' An object only supports looking up attributes by name, not by numeric index.'
        const isMisused = collection.type.kind === 'object' && key.type.kind === 'number'
        return entriesOf(collection).get(textOf(name)) ?? refuse(`${noElement}.${isMisused ? hint : ''}`)
      })
    case 'set':
      return refuse(
        "Elements of a set are identified only by their value and don't have any separate index or key to select with, so it's only possible to perform operations across all elements of the set.",
      )
    default:
      return refuse('This value does not have any indices.')
  }
}

function converted(
  key: Value,
  type: typeof string,
  refuse: (detail: string) => Value,
  use: (key: Value) => Value,
): Value {
  let wanted: Value
  try {
    wanted = convert(key, type)
  } catch (error) {
    if (error instanceof ConversionError) return refuse(`${noElement}: ${error.message}.`)
    throw error
  }
  return use(wanted)
}

function indexSequence(collection: Value, at: Value, refuse: (detail: string) => Value): Value {
  const items = itemsOf(collection)
  if (!isInteger(decimalOf(at))) {
    return refuse(
      `${noElement}: indexing a sequence requires a whole number, but the given index has a fractional part.`,
    )
  }
  const position = toDouble(decimalOf(at))
  if (position < 0) return refuse(`${noElement}: a negative number is not a valid index for a sequence.`)
  if (position < items.length) return items[position]!
  // Beyond the end by more than one, HCL has no more to say.
  if (position > items.length) return refuse(`${noElement}.`)
  if (items.length === 0) return refuse(`${noElement}: the collection has no elements.`)
  return refuse(`${noElement}: the given index is greater than or equal to the length of the collection.`)
}
