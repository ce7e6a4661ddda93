import type { Splat } from '../syntax/nodes.ts'
import { isSequence } from '../values/types.ts'
import { elementsOf, isKnown, isNull, listValue, tupleValue, unknown, type Value } from '../values/value.ts'
import { type Context, evaluate, report } from './evaluate.ts'

/** What is no sequence is taken as one of itself; null as none. */
export function evaluateSplat({ source, each, item }: Splat, context: Context): Value {
  const before = context.problems.length
  const value = evaluate(source, context)
  if (context.problems.length > before || !isKnown(value)) return unknown
  const isList = isSequence(value.type)
  if (isNull(value)) {
    if (!isList) return tupleValue([])
    const detail = 'Splat expressions (with the * symbol) cannot be applied to null sequences.'
    return report(context, 'Splat of null value', detail, source.range)
  }
  const elements = isList ? elementsOf(value).map(([, element]) => element) : [value]
  const results = elements.map((element) =>
    evaluate(each, { ...context, scope: context.scope.child([[item, element]]) }),
  )
  if (context.problems.length > before) return unknown
  if (value.type.kind === 'tuple' || !isList || results.length === 0) return tupleValue(results)
  return listValue(results[0]!.type, results)
}
