import type { Diagnostic } from '../syntax/diagnostic.ts'
import type { Expression, ObjectKey } from '../syntax/nodes.ts'
import { keywordOf } from '../syntax/nodes.ts'
import type { Range } from '../syntax/source.ts'
import { BakeFileError } from '../syntax/diagnostic.ts'
import { ConversionError, convert } from '../values/convert.ts'
import { string } from '../values/types.ts'
import {
  isKnown,
  isNull,
  objectValue,
  stringValue,
  textOf,
  tupleValue,
  unknown,
  type Value,
  ValueLimitError,
} from '../values/value.ts'
import { evaluateCall } from './call.ts'
import { evaluateConditional } from './conditional.ts'
import { evaluateFor } from './for.ts'
import { evaluateBinary, evaluateUnary } from './operators.ts'
import type { Scope } from './scope.ts'
import { evaluateSplat } from './splat.ts'
import { evaluateJoin, evaluateTemplate } from './template.ts'
import { evaluateReference, index, takeSteps } from './traverse.ts'

/** What an evaluation needs: names, and where problems are noted. What could not be evaluated is `unknown`. */
export interface Context {
  readonly scope: Scope
  readonly problems: Diagnostic[]
}

export const report = ({ problems }: Context, summary: string, detail: string, subject: Range): Value => {
  problems.push({ summary, detail, subject })
  return unknown
}

/** The value of an expression. Problems are noted, but that what is asked for is boundless: that is thrown. */
export function evaluate(node: Expression, context: Context): Value {
  const { budget } = context.scope
  budget.spend(1)
  try {
    const value = evaluateNode(node, context)
    budget.spend(value.size)
    return value
  } catch (error) {
    if (!(error instanceof ValueLimitError)) throw error
    throw new BakeFileError([
      { summary: 'Limit exceeded', detail: `This makes ${error.message}.`, subject: node.range },
    ])
  }
}

function evaluateNode(node: Expression, context: Context): Value {
  switch (node.kind) {
    case 'literal':
      return node.value
    case 'reference':
      return evaluateReference(node, context)
    case 'traversal':
      return takeSteps(evaluate(node.source, context), node.steps, context)
    case 'index':
      return index(evaluate(node.collection, context), evaluate(node.key, context), node.bracketRange, context)
    case 'splat':
      return evaluateSplat(node, context)
    case 'splat-item':
      return context.scope.lookup(node) ?? unknown
    case 'call':
      return evaluateCall(node, context)
    case 'conditional':
      return evaluateConditional(node, context)
    case 'binary':
      return evaluateBinary(node, context)
    case 'unary':
      return evaluateUnary(node, context)
    case 'tuple':
      return tupleValue(node.items.map((item) => evaluate(item, context)))
    case 'object':
      return evaluateObject(node, context)
    case 'object-key':
      return evaluateKey(node, context)
    case 'for':
      return evaluateFor(node, context)
    case 'template':
      return evaluateTemplate(node, context)
    case 'template-join':
      return evaluateJoin(node, context)
    case 'template-wrap':
      return evaluate(node.wrapped, context)
    case 'parentheses':
      return evaluate(node.inner, context)
    case 'deferred':
      return evaluateDeferred(node, context)
    case 'json-object':
      return evaluateJsonObject(node, context)
  }
}

function evaluateDeferred(node: Expression & { kind: 'deferred' }, context: Context): Value {
  let parsed: Expression
  try {
    parsed = node.parse()
  } catch (error) {
    if (!(error instanceof BakeFileError)) throw error
    context.problems.push(...error.diagnostics)
    return unknown
  }
  return evaluate(parsed, context)
}

function evaluateObject({ items }: Expression & { kind: 'object' }, context: Context): Value {
  const entries = new Map<string, Value>()
  let isComplete = true
  for (const item of items) {
    const before = context.problems.length
    const key = evaluate(item.key, context)
    const hasKey = context.problems.length === before && isKnown(key)
    const value = evaluate(item.value, context)
    const name = hasKey ? objectKey(key, item, context) : undefined
    if (name === undefined) isComplete = false
    else entries.set(name, value)
  }
  return isComplete ? objectValue(entries) : unknown
}

function objectKey(key: Value, item: { key: Expression; value: Expression }, context: Context): string | undefined {
  if (isNull(key)) {
    report(context, 'Null value as key', "Can't use a null value as a key.", item.value.range)
    return undefined
  }
  try {
    return textOf(convert(key, string))
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error
    report(context, 'Incorrect key type', `Can't use this value as a key: ${error.message}.`, item.key.range)
    return undefined
  }
}

function evaluateKey(node: ObjectKey, context: Context): Value {
  if (node.isForced) return evaluate(node.wrapped, context)
  if (node.wrapped.kind === 'reference' && node.wrapped.steps.length > 0) {
    const detail =
      "If this expression is intended to be a reference, wrap it in parentheses. If it's instead intended as a literal name containing periods, wrap it in quotes to create a string literal."
    return report(context, 'Ambiguous attribute key', detail, node.range)
  }
  const keyword = keywordOf(node)
  return keyword === undefined ? evaluate(node.wrapped, context) : stringValue(keyword)
}

function evaluateJsonObject({ items }: Expression & { kind: 'json-object' }, context: Context): Value {
  const entries = new Map<string, Value>()
  for (const item of items) {
    const key = evaluate(item.key, context)
    const value = evaluate(item.value, context)
    if (!isKnown(key)) return unknown
    const name = textOf(convert(key, string))
    if (entries.has(name)) {
      report(context, 'Duplicate object attribute', `An attribute named "${name}" was already defined.`, item.key.range)
    } else entries.set(name, value)
  }
  return objectValue(entries)
}
