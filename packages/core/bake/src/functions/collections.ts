import { equal } from '../evaluate/operators.ts'
import { convert } from '../values/convert.ts'
import { toDouble } from '../values/decimal.ts'
import { dynamic, isSequence, list, number, string, type Type, typeName } from '../values/types.ts'
import { unifyTypes } from '../values/unify.ts'
import {
  booleanValue,
  canIterate,
  decimalOf,
  distinct,
  elementsOf,
  entriesOf,
  integerValue,
  isNull,
  itemsOf,
  listValue,
  mapValue,
  objectValue,
  stringValue,
  textOf,
  tupleValue,
  type Value,
} from '../values/value.ts'
import { ArgumentFailure, CallFailure, define, type FunctionSpec, parameter } from './function.ts'
import { wholeNumber } from './whole-number.ts'

const anyValue = (name: string) => ({ name, type: dynamic, allowsNull: true })

/** Elements in a list if they have a type in common. */
const sequenceLike = (type: Type, items: readonly Value[]): Value =>
  type.kind === 'tuple'
    ? tupleValue(items)
    : listValue(type.kind === 'list' || type.kind === 'set' ? type.element : dynamic, items)

function requireSequence(value: Value, index: number): readonly Value[] {
  if (!isSequence(value.type)) throw new ArgumentFailure(index, 'must be a list or tuple')
  return itemsOf(value)
}

const chunklist = define([parameter('list', list(dynamic)), parameter('size', number)], ([items, size]) => {
  const by = wholeNumber(size!)
  if (by < 0) throw new ArgumentFailure(1, 'the size argument must be positive')
  const all = itemsOf(items!)
  if (by === 0) return listValue(items!.type, [items!])
  const chunks = Array.from({ length: Math.ceil(all.length / by) }, (_, at) =>
    sequenceLike(items!.type, all.slice(at * by, (at + 1) * by)),
  )
  return listValue(items!.type, chunks)
})

const coalesce: FunctionSpec = {
  parameters: [],
  variadic: anyValue('vals'),
  call(args) {
    const type = unifyTypes(args.map((one) => one.type))
    if (type === undefined) throw new CallFailure('all arguments must have the same type')
    const found = args.find((one) => !isNull(one))
    if (found === undefined) throw new CallFailure('no non-null arguments')
    return convert(found, type)
  },
}

const coalescelist: FunctionSpec = {
  parameters: [],
  variadic: anyValue('vals'),
  call(args) {
    if (args.length === 0) throw new CallFailure('at least one argument is required')
    for (const one of args) {
      if (one.type.kind !== 'list' && one.type.kind !== 'tuple') {
        throw new CallFailure('coalescelist arguments must be lists or tuples')
      }
    }
    const found = args.find((one) => !isNull(one) && itemsOf(one).length > 0)
    if (found === undefined) throw new CallFailure('no non-null arguments')
    return found
  },
}

const concat: FunctionSpec = {
  parameters: [],
  variadic: parameter('seqs', dynamic),
  call(args) {
    if (args.length === 0) throw new CallFailure('at least one argument is required')
    for (const [index, { type }] of args.entries()) {
      if (!isSequence(type)) {
        throw new ArgumentFailure(index, `all arguments must be lists or tuples; got ${typeName(type)}`)
      }
    }
    const items = args.flatMap(itemsOf)
    if (args.some(({ type }) => type.kind === 'tuple')) return tupleValue(items)
    const type = unifyTypes(args.map((one) => one.type))
    if (type === undefined || type.kind === 'tuple') return tupleValue(items)
    return convert(tupleValue(items), type.kind === 'set' ? list(type.element) : type)
  },
}

const contains = define([parameter('list', dynamic), anyValue('value')], ([items, value]) => {
  if (!isSequence(items!.type)) throw new CallFailure('argument must be list, tuple, or set')
  return booleanValue(itemsOf(items!).some((one) => equal(one, value!)))
})

const element = define([parameter('list', dynamic), parameter('index', number)], ([items, index]) => {
  if (items!.type.kind !== 'list' && items!.type.kind !== 'tuple') {
    throw new ArgumentFailure(0, `cannot read elements from ${typeName(items!.type)}`)
  }
  const at = wholeNumber(index!)
  const all = itemsOf(items!)
  if (at < 0) throw new CallFailure('cannot use element function with a negative index')
  if (all.length === 0) throw new CallFailure('cannot use element function with an empty list')
  return all[at % all.length]!
})

const flatten = define([parameter('list', dynamic)], ([items]) => {
  if (!isSequence(items!.type)) throw new CallFailure('can only flatten lists, sets and tuples')
  return tupleValue(flat(items!))
})

const flat = (value: Value): Value[] =>
  itemsOf(value).flatMap((one) => (isSequence(one.type) && !isNull(one) ? flat(one) : [one]))

function at(collection: Value, key: Value): Value | undefined {
  requireCountable(collection)
  if (collection.data instanceof Map) {
    return key.type.kind === 'string' ? entriesOf(collection).get(textOf(key)) : undefined
  }
  if (key.type.kind !== 'number' || !Array.isArray(collection.data)) return undefined
  return itemsOf(collection)[toDouble(decimalOf(key))]
}

const keyed = [parameter('collection', dynamic), parameter('key', dynamic)]

const indexFunction = define(keyed, ([collection, key]) => {
  const found = at(collection!, key!)
  if (found === undefined) throw new CallFailure('invalid index')
  return found
})

const indexof = define([parameter('list', dynamic), parameter('value', dynamic)], ([items, value]) => {
  if (items!.type.kind !== 'list' && items!.type.kind !== 'tuple') {
    throw new CallFailure('argument must be a list or tuple')
  }
  const all = itemsOf(items!)
  if (all.length === 0) throw new CallFailure('cannot search an empty list')
  const found = all.findIndex((one) => equal(one, value!))
  if (found === -1) throw new CallFailure('item not found')
  return integerValue(found)
})

const isMapping = ({ type }: Value): boolean => type.kind === 'map' || type.kind === 'object'

const keys = define([parameter('inputMap', dynamic)], ([input]) => {
  if (!isMapping(input!)) throw new ArgumentFailure(0, 'must have map or object type')
  const names = [...entriesOf(input!).keys()].map(stringValue)
  return input!.type.kind === 'map' ? listValue(string, names) : tupleValue(names)
})

const values = define([parameter('mapping', dynamic)], ([input]) => {
  if (!isMapping(input!)) throw new ArgumentFailure(0, 'must have map or object type')
  const all = [...entriesOf(input!).values()]
  return input!.type.kind === 'map' ? listValue(input!.type.element, all) : tupleValue(all)
})

/** Objects do not count as maps here. */
function requireCountable(collection: Value): void {
  if (canIterate(collection) && collection.type.kind !== 'object') return
  throw new CallFailure('collection must be a list, a map or a tuple')
}

const length = define([parameter('collection', dynamic)], ([collection]) => {
  requireCountable(collection!)
  return integerValue(elementsOf(collection!).length)
})

const lookup = define(
  [parameter('inputMap', dynamic), parameter('key', string), anyValue('default')],
  ([input, key, otherwise]) => {
    if (!isMapping(input!)) throw new ArgumentFailure(0, 'lookup() requires a map as the first argument')
    return entriesOf(input!).get(textOf(key!)) ?? otherwise!
  },
)

const merge: FunctionSpec = {
  parameters: [],
  variadic: anyValue('maps'),
  call(args) {
    for (const [index, one] of args.entries()) {
      if (!isMapping(one) && !(isNull(one) && one.type.kind === 'dynamic')) {
        throw new ArgumentFailure(index, `arguments must be maps or objects, got "${typeName(one.type)}"`)
      }
    }
    const given = args.filter((one) => !isNull(one))
    const entries = given.flatMap((one) => [...entriesOf(one)])
    const [first] = given
    const type = first && unifyTypes(given.map((one) => one.type))
    const isMap =
      type?.kind === 'map' && given.every((one) => one.type.kind === 'map' && one.type.element === type.element)
    return isMap ? mapValue(type.element, new Map(entries)) : objectValue(new Map(entries))
  },
}

const greatestRange = 1024

const range: FunctionSpec = {
  parameters: [],
  variadic: parameter('params', number),
  call(args) {
    const given = args.map((one) => toDouble(decimalOf(one)))
    if (given.length === 0 || given.length > 3) throw new CallFailure('must have one, two, or three arguments')
    const [start, end] = given.length === 1 ? [0, given[0]!] : [given[0]!, given[1]!]
    const step = given[2] ?? (end < start ? -1 : 1)
    if (step === 0) throw new ArgumentFailure(2, 'step must not be zero')
    if (end > start !== step > 0 && end !== start) {
      throw new ArgumentFailure(
        1,
        `end must be ${step > 0 ? 'greater' : 'less'} than start when step is ${step > 0 ? 'positive' : 'negative'}`,
      )
    }
    const count = Math.ceil((end - start) / step)
    if (count > greatestRange) {
      const advice = 'either decrease the difference between start and end or use a smaller step'
      throw new CallFailure(`more than ${greatestRange} values were generated; ${advice}`)
    }
    return convert(
      tupleValue(
        Array.from({ length: count }, (_, index) => convert(stringValue(String(start + index * step)), number)),
      ),
      list(number),
    )
  },
}

const slice = define(
  [parameter('list', dynamic), parameter('start_index', number), parameter('end_index', number)],
  ([items, start, end]) => {
    if (items!.type.kind !== 'list' && items!.type.kind !== 'tuple') {
      throw new ArgumentFailure(0, 'must be a list or tuple value')
    }
    const all = itemsOf(items!)
    const [from, to] = [wholeNumber(start!), wholeNumber(end!)]
    if (from < 0) throw new ArgumentFailure(1, 'start index must not be less than zero')
    if (to > all.length) {
      throw new ArgumentFailure(2, 'end index must not be greater than the length of the list')
    }
    if (from > to) throw new ArgumentFailure(1, 'start index must not be greater than end index')
    return sequenceLike(items!.type, all.slice(from, to))
  },
)

const zipmap = define([parameter('keys', list(string)), parameter('values', dynamic)], ([names, all]) => {
  const items = requireSequence(all!, 1)
  const labels = itemsOf(names!).map(textOf)
  if (labels.length !== items.length) {
    throw new CallFailure(`number of keys (${labels.length}) does not match number of values (${items.length})`)
  }
  const entries = labels.map((name, index): [string, Value] => [name, items[index]!])
  return all!.type.kind === 'list' ? mapValue(all!.type.element, new Map(entries)) : objectValue(new Map(entries))
})

export const collectionFunctions: Readonly<Record<string, FunctionSpec>> = {
  chunklist,
  coalesce,
  coalescelist,
  compact: define([parameter('list', list(string))], ([items]) =>
    listValue(
      string,
      itemsOf(items!).filter((one) => !isNull(one) && one.data !== ''),
    ),
  ),
  concat,
  contains,
  distinct: define([parameter('list', list(dynamic))], ([items]) =>
    sequenceLike(items!.type, distinct(itemsOf(items!))),
  ),
  element,
  flatten,
  hasindex: define(keyed, ([collection, key]) => booleanValue(at(collection!, key!) !== undefined)),
  index: indexFunction,
  indexof,
  keys,
  length,
  lookup,
  merge,
  range,
  reverselist: define([parameter('list', dynamic)], ([items]) => {
    if (!isSequence(items!.type))
      throw new ArgumentFailure(0, `can only reverse list or tuple values, not ${typeName(items!.type)}`)
    return sequenceLike(items!.type, itemsOf(items!).toReversed())
  }),
  slice,
  values,
  zipmap,
}
