import { convert } from '../values/convert.ts'
import { dynamic, isSequence, list, set, type Type } from '../values/types.ts'
import { unifyTypes } from '../values/unify.ts'
import {
  booleanValue,
  itemsOf,
  keyOf,
  listValue,
  setValue,
  tupleValue,
  type Value,
  ValueLimitError,
} from '../values/value.ts'
import { ArgumentFailure, CallFailure, define, type FunctionSpec, parameter } from './function.ts'

const anySet = set(dynamic)

function commonElement(sets: readonly Value[]): Type {
  const types = sets.map(({ type }) => (type.kind === 'set' ? type.element : dynamic))
  const type = unifyTypes(types.filter(({ kind }) => kind !== 'dynamic'))
  if (type !== undefined) return type
  if (types.every(({ kind }) => kind === 'dynamic')) return dynamic
  throw new CallFailure('given sets must all have compatible element types')
}

/** Decides by the keys of each set which elements stay. */
const combine = (first: string, others: string, keep: (inSets: readonly boolean[]) => boolean): FunctionSpec => ({
  parameters: [parameter(first, anySet)],
  variadic: parameter(others, anySet),
  call(args) {
    const element = commonElement(args)
    const all = args.map((one) => itemsOf(convert(one, set(element))))
    const keys = all.map((items) => new Set(items.map(keyOf)))
    const kept = all.flat().filter((one) => keep(keys.map((known) => known.has(keyOf(one)))))
    return setValue(element, kept)
  },
})

const ofTwo = (keep: (inSets: readonly boolean[]) => boolean): FunctionSpec => ({
  ...combine('a', 'b', keep),
  parameters: [parameter('a', anySet), parameter('b', anySet)],
  variadic: undefined,
})

const setproduct: FunctionSpec = {
  parameters: [],
  variadic: parameter('sets', dynamic),
  call(args) {
    if (args.length < 2) throw new CallFailure('at least two arguments are required')
    for (const [index, { type }] of args.entries()) {
      if (!isSequence(type)) throw new ArgumentFailure(index, 'a set or a list is required')
    }
    const count = args.reduce((product, one) => product * itemsOf(one).length, 1)
    if (count > 100_000) throw new ValueLimitError(`a product of ${count} elements`)
    const rows = args.reduce<Value[][]>(
      (before, one) => before.flatMap((row) => itemsOf(one).map((item) => [...row, item])),
      [[]],
    )
    return collectRows(args, rows.map(tupleValue))
  },
}

/** A list when one of the sets has an order. */
function collectRows(args: readonly Value[], rows: readonly Value[]): Value {
  const hasOrder = args.some(({ type }) => type.kind !== 'set')
  const element = rows[0]?.type ?? dynamic
  if (!hasOrder) return setValue(element, rows)
  const isTuple = args.every(({ type }) => type.kind === 'tuple')
  return isTuple && rows.length === 0 ? convert(tupleValue([]), list(dynamic)) : uniform(rows, element)
}

function uniform(rows: readonly Value[], element: Type): Value {
  const type = unifyTypes(rows.map((row) => row.type))
  if (type === undefined) throw new CallFailure('all elements must be of the same type')
  return listValue(
    rows.length === 0 ? element : type,
    rows.map((row) => convert(row, type)),
  )
}

export const setFunctions: Readonly<Record<string, FunctionSpec>> = {
  sethaselement: define([parameter('set', anySet), parameter('elem', dynamic)], ([items, item]) =>
    booleanValue(itemsOf(items!).some((one) => keyOf(one) === keyOf(item!))),
  ),
  setintersection: combine('first_set', 'other_sets', (inSets) => inSets.every(Boolean)),
  setunion: combine('first_set', 'other_sets', (inSets) => inSets.some(Boolean)),
  setsubtract: ofTwo(([a, b]) => a === true && b !== true),
  setsymmetricdifference: combine('first_set', 'other_sets', (inSets) => inSets.filter(Boolean).length % 2 === 1),
  setproduct,
}
