import type { Diagnostic } from '../syntax/diagnostic.ts'
import type { Binary, BinaryOperator, Expression, Unary } from '../syntax/nodes.ts'
import { ConversionError, convert } from '../values/convert.ts'
import { add, compare, type Decimal, divide, modulo, multiply, negate } from '../values/decimal.ts'
import { bool, dynamic, number, type Type } from '../values/types.ts'
import {
  booleanValue,
  decimalOf,
  isKnown,
  isNull,
  numberValue,
  sameValue,
  unknown,
  type Value,
} from '../values/value.ts'
import { type Context, evaluate, report } from './evaluate.ts'

const arithmetic: Partial<Record<BinaryOperator, (a: Decimal, b: Decimal) => Decimal>> = {
  '+': add,
  '-': (a, b) => add(a, negate(b)),
  '*': multiply,
  '/': divide,
  '%': modulo,
}
const comparisons: Partial<Record<BinaryOperator, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}

function operandType(operator: BinaryOperator | '!'): Type {
  if (operator === '==' || operator === '!=') return dynamic
  return operator === '&&' || operator === '||' || operator === '!' ? bool : number
}

/** Where an operand stands, in messages. */
type Side = 'left' | 'right' | 'unary'

function operand(node: Expression, type: Type, side: Side, context: Context): Value | undefined {
  const value = evaluate(node, context)
  try {
    return convert(value, type)
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error
    report(context, 'Invalid operand', `Unsuitable value for ${side} operand: ${error.message}.`, node.range)
    return undefined
  }
}

export function evaluateBinary(node: Binary, context: Context): Value {
  const type = operandType(node.operator)
  const [left, leftProblems] = aside(node.left, type, 'left', context)
  const [right, rightProblems] = aside(node.right, type, 'right', context)
  const shortcut = left && right && shortCircuit(node.operator, [left, leftProblems], [right, rightProblems])
  if (shortcut !== undefined) {
    context.problems.push(...shortcut.problems)
    return shortcut.value
  }
  context.problems.push(...leftProblems, ...rightProblems)
  if (left === undefined || right === undefined || leftProblems.length + rightProblems.length > 0) return unknown
  if (!isKnown(left) || !isKnown(right)) return unknown
  return operate(node, left, right, context)
}

function aside(node: Expression, type: Type, side: Side, context: Context): [Value | undefined, Diagnostic[]] {
  const problems: Diagnostic[] = []
  return [operand(node, type, side, { ...context, problems }), problems]
}

/** One side of && or || may decide alone; then the other one's problems do not count. */
function shortCircuit(
  operator: BinaryOperator,
  [left, leftProblems]: [Value, readonly Diagnostic[]],
  [right, rightProblems]: [Value, readonly Diagnostic[]],
): { value: Value; problems: readonly Diagnostic[] } | undefined {
  if (operator !== '&&' && operator !== '||') return undefined
  const deciding = operator === '||'
  if (left.data === deciding) return { value: left, problems: leftProblems }
  if (right.data === deciding) return { value: right, problems: rightProblems }
  if (!isKnown(left) && right.data === !deciding) return { value: unknown, problems: leftProblems }
  if (!isKnown(right) && left.data === !deciding) return { value: unknown, problems: rightProblems }
  return undefined
}

const fails = (context: Context, problem: string, node: Binary | Unary): Value =>
  report(context, 'Operation failed', `Error during operation: ${problem}.`, node.range)

function operate(node: Binary, left: Value, right: Value, context: Context): Value {
  const { operator } = node
  if (operator === '==') return booleanValue(equal(left, right))
  if (operator === '!=') return booleanValue(!equal(left, right))
  if (isNull(left) || isNull(right)) return fails(context, 'argument must not be null', node)
  if (operator === '&&' || operator === '||') {
    return booleanValue(
      operator === '&&' ? left.data === true && right.data === true : left.data === true || right.data === true,
    )
  }
  const [a, b] = [decimalOf(left), decimalOf(right)]
  const holds = comparisons[operator]
  if (holds !== undefined) return booleanValue(holds(compare(a, b)))
  if ((operator === '/' || operator === '%') && b.mantissa === 0n) {
    return fails(context, operator === '/' ? 'divide by zero' : 'divide by zero', node)
  }
  return calculate(node, () => arithmetic[operator]!(a, b), context)
}

function calculate(node: Binary, compute: () => Decimal, context: Context): Value {
  try {
    return numberValue(compute())
  } catch (error) {
    if (error instanceof RangeError) return fails(context, error.message, node)
    throw error
  }
}

/** Nulls are equal whatever their types; other values of different types are not. */
export function equal(a: Value, b: Value): boolean {
  if (isNull(a) || isNull(b)) return isNull(a) && isNull(b)
  return sameValue(a, b)
}

export function evaluateUnary(node: Unary, context: Context): Value {
  const before = context.problems.length
  const value = operand(node.operand, node.operator === '!' ? bool : number, 'unary', context)
  if (value === undefined || context.problems.length > before || !isKnown(value)) return unknown
  if (isNull(value)) return fails(context, 'argument must not be null', node)
  return node.operator === '!' ? booleanValue(value.data !== true) : numberValue(negate(decimalOf(value)))
}
