import type { Expression, For } from '../syntax/nodes.ts'
import { ConversionError, convert } from '../values/convert.ts'
import { bool, string, typeName } from '../values/types.ts'
import {
  canIterate,
  elementsOf,
  isKnown,
  isNull,
  objectValue,
  textOf,
  tupleValue,
  unknown,
  type Value,
} from '../values/value.ts'
import { type Context, evaluate, report } from './evaluate.ts'

export function evaluateFor(node: For, context: Context): Value {
  const collection = evaluate(node.collection, context)
  if (isNull(collection)) {
    const detail = "A null value cannot be used as the collection in a 'for' expression."
    return report(context, 'Iteration over null value', detail, node.collection.range)
  }
  if (!isKnown(collection)) return unknown
  if (!canIterate(collection)) {
    const detail = `A value of type ${typeName(collection.type)} cannot be used as the collection in a 'for' expression.`
    return report(context, 'Iteration over non-iterable value', detail, node.collection.range)
  }
  return node.key === undefined
    ? collectTuple(node, collection, context)
    : collectObject(node, node.key, collection, context)
}

/** The scopes of the elements that the condition lets through; undefined when it fails. */
function* selected(node: For, collection: Value, context: Context): Generator<Context | undefined> {
  for (const [key, element] of elementsOf(collection)) {
    const scope = context.scope.child([
      ...(node.keyName === undefined ? [] : [[node.keyName, key] as const]),
      [node.valueName, element],
    ])
    const inner = { ...context, scope }
    const isIncluded = node.condition === undefined || include(node.condition, inner)
    if (isIncluded === undefined) yield undefined
    else if (isIncluded) yield inner
  }
}

function include(condition: Expression, context: Context): boolean | undefined {
  const summary = "Invalid 'for' condition"
  const value = evaluate(condition, context)
  if (isNull(value)) {
    report(context, summary, "The value of the 'if' clause must not be null.", condition.range)
    return undefined
  }
  try {
    return convert(value, bool).data as boolean | undefined
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error
    report(context, summary, `The 'if' clause value is invalid: ${error.message}.`, condition.range)
    return undefined
  }
}

function collectTuple(node: For, collection: Value, context: Context): Value {
  const results: Value[] = []
  for (const inner of selected(node, collection, context)) {
    if (inner === undefined) return unknown
    results.push(evaluate(node.value, inner))
  }
  return tupleValue(results)
}

function collectObject(node: For, keyNode: Expression, collection: Value, context: Context): Value {
  const groups = new Map<string, Value[]>()
  for (const inner of selected(node, collection, context)) {
    const key = inner && evaluateKey(keyNode, inner)
    if (inner === undefined || key === undefined) return unknown
    const value = evaluate(node.value, inner)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else if (node.isGrouped) group.push(value)
    else {
      const detail = `Two different items produced the key "${key}" in this 'for' expression. If duplicates are expected, use the ellipsis (...) after the value expression to enable grouping by key.`
      report(context, 'Duplicate object key', detail, keyNode.range)
    }
  }
  return objectValue([...groups].map(([key, values]) => [key, node.isGrouped ? tupleValue(values) : values[0]!]))
}

function evaluateKey(node: Expression, context: Context): string | undefined {
  const key = evaluate(node, context)
  if (isNull(key)) {
    const detail = "Key expression in 'for' expression must not produce a null value."
    report(context, 'Invalid object key', detail, node.range)
    return undefined
  }
  if (!isKnown(key)) return undefined
  try {
    return textOf(convert(key, string))
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error
    const detail = `The key expression produced an invalid result: ${error.message}.`
    report(context, 'Invalid object key', detail, node.range)
    return undefined
  }
}
