import type { Diagnostic } from '../syntax/diagnostic.ts'
import type { Conditional } from '../syntax/nodes.ts'
import { between } from '../syntax/source.ts'
import { ConversionError, convert } from '../values/convert.ts'
import { bool, isCollection, type Type, typeName } from '../values/types.ts'
import { sameType } from '../values/types.ts'
import { unifyTypes } from '../values/unify.ts'
import { isKnown, isNull, unknown, type Value } from '../values/value.ts'
import { type Context, evaluate, report } from './evaluate.ts'

/** Both results are evaluated, and must have a type in common; problems of the one that is not taken do not count. */
export function evaluateConditional(node: Conditional, context: Context): Value {
  const [whenTrue, trueProblems] = aside(node.whenTrue, context)
  const [whenFalse, falseProblems] = aside(node.whenFalse, context)
  const type = commonType(whenTrue, whenFalse)
  if (type === undefined) {
    const detail = `The true and false result expressions must have consistent types. ${describeMismatch(whenTrue.type, whenFalse.type)}.`
    const range = between(node.whenTrue.range, node.whenFalse.range)
    return report(context, 'Inconsistent conditional result types', detail, range)
  }
  const condition = evaluateCondition(node, context)
  if (!isKnown(condition)) return { ...unknown, type }
  const [result, problems] = condition.data === true ? [whenTrue, trueProblems] : [whenFalse, falseProblems]
  context.problems.push(...problems)
  return takeResult(node, { result, type, which: condition.data === true }, context)
}

function aside(node: Conditional['whenTrue'], context: Context): [Value, Diagnostic[]] {
  const problems: Diagnostic[] = []
  return [evaluate(node, { ...context, problems }), problems]
}

const isUntyped = ({ type }: Value): boolean => type.kind === 'dynamic'

function commonType(whenTrue: Value, whenFalse: Value): Type | undefined {
  if (isUntyped(whenTrue)) return whenFalse.type
  return isUntyped(whenFalse) ? whenTrue.type : unifyTypes([whenTrue.type, whenFalse.type])
}

function evaluateCondition({ condition }: Conditional, context: Context): Value {
  const value = evaluate(condition, context)
  if (isNull(value)) {
    const detail = 'The condition value is null. Conditions must either be true or false.'
    return report(context, 'Null condition', detail, condition.range)
  }
  try {
    return convert(value, bool)
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error
    const detail = 'The condition expression must be of type bool.'
    return report(context, 'Incorrect condition type', detail, condition.range)
  }
}

function takeResult(
  node: Conditional,
  { result, type, which }: { result: Value; type: Type; which: boolean },
  context: Context,
): Value {
  try {
    return convert(result, type)
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error
    const detail = `The ${which} result value has the wrong type: ${error.message}.`
    const { range } = which ? node.whenTrue : node.whenFalse
    return report(context, 'Inconsistent conditional result types', detail, range)
  }
}

function describeMismatch(a: Type, b: Type): string {
  if (a.kind === 'object' && b.kind === 'object') {
    for (const [name, type] of a.attributes) {
      const other = b.attributes.get(name)
      if (other === undefined) {
        return `The 'true' value includes object attribute "${name}", which is absent in the 'false' value`
      }
      if (!sameType(type, other)) {
        return `Type mismatch for object attribute "${name}": ${describeMismatch(type, other)}`
      }
    }
    const extra = [...b.attributes.keys()].find((name) => !a.attributes.has(name))
    if (extra !== undefined) {
      return `The 'false' value includes object attribute "${extra}", which is absent in the 'true' value`
    }
  }
  if (a.kind === 'tuple' && b.kind === 'tuple') {
    if (a.elements.length !== b.elements.length) {
      return `The 'true' tuple has length ${a.elements.length}, but the 'false' tuple has length ${b.elements.length}`
    }
    const at = a.elements.findIndex((type, position) => !sameType(type, b.elements[position]!))
    if (at !== -1) return `Type mismatch for tuple element ${at}: ${describeMismatch(a.elements[at]!, b.elements[at]!)}`
  }
  if (isCollection(a) && isCollection(b) && a.kind === b.kind && a.element.kind === b.element.kind) {
    if (a.element.kind === 'object' || a.element.kind === 'tuple') {
      return `Mismatched ${a.kind} element types: ${describeMismatch(a.element, b.element)}`
    }
  }
  if (typeName(a) === typeName(b)) {
    return "At least one deeply-nested attribute or element is not compatible across both the 'true' and the 'false' value"
  }
  return `The 'true' value is ${typeName(a)}, but the 'false' value is ${typeName(b)}`
}
