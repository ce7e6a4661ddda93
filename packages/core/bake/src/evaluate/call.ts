import { ArgumentFailure, CallFailure, type FunctionSpec, type Parameter } from '../functions/function.ts'
import type { Call, Expression } from '../syntax/nodes.ts'
import { startRange } from '../syntax/nodes.ts'
import { suggest } from '../syntax/suggest.ts'
import { ConversionError, convert } from '../values/convert.ts'
import { isSequence } from '../values/types.ts'
import { elementsOf, isKnown, isNull, unknown, type Value } from '../values/value.ts'
import { type Context, evaluate, report } from './evaluate.ts'

export function evaluateCall(node: Call, context: Context): Value {
  const spec = context.scope.functions.get(node.name)
  if (spec === undefined) {
    const hint = suggest(node.name, context.scope.functions.keys())
    const detail = `There is no function named "${node.name}".${hint}`
    return report(context, 'Call to unknown function', detail, node.nameRange)
  }
  const args = expandLast(node, context)
  if (args === undefined || !hasRightCount(node, spec, args, context)) return unknown
  if (spec.expressions !== undefined) return guarded(node, spec, args, context, () => spec.expressions!(args, context))
  const before = context.problems.length
  const values = args.map((arg, index) => argument(arg, parameterAt(spec, index), context))
  if (context.problems.length > before) return unknown
  return guarded(node, spec, args, context, () => invoke(spec, values, context))
}

const parameterAt = (spec: FunctionSpec, index: number): Parameter => spec.parameters[index] ?? spec.variadic!

/** The arguments; the elements of the last one where `...` follows it. */
function expandLast(node: Call, context: Context): Expression[] | undefined {
  if (!node.expandsLast) return [...node.args]
  const last = node.args.at(-1)!
  const before = context.problems.length
  const value = evaluate(last, context)
  if (context.problems.length > before || !isKnown(value)) return undefined
  const summary = 'Invalid expanding argument value'
  if (isNull(value)) {
    report(context, summary, 'The expanding argument (indicated by ...) must not be null.', last.range)
    return undefined
  }
  if (!isSequence(value.type)) {
    const detail = 'The expanding argument (indicated by ...) must be of a tuple, list, or set type.'
    report(context, summary, detail, last.range)
    return undefined
  }
  const expanded = elementsOf(value).map(([, element]): Expression => ({
    kind: 'literal',
    value: element,
    range: last.range,
  }))
  return [...node.args.slice(0, -1), ...expanded]
}

function hasRightCount(node: Call, spec: FunctionSpec, args: readonly Expression[], context: Context): boolean {
  const { parameters, variadic } = spec
  const missing = parameters[args.length]
  if (missing !== undefined) {
    const least = variadic === undefined ? '' : ' at least'
    const detail = `Function "${node.name}" expects${least} ${parameters.length} argument(s). Missing value for "${missing.name}".`
    report(context, 'Not enough function arguments', detail, node.closeRange)
    return false
  }
  const extra = args[parameters.length]
  if (variadic !== undefined || extra === undefined) return true
  const detail = `Function "${node.name}" expects only ${parameters.length} argument(s).`
  report(context, 'Too many function arguments', detail, startRange(extra))
  return false
}

const refuseArgument = (context: Context, name: string, problem: string, node: Expression): Value =>
  report(context, 'Invalid function argument', `Invalid value for "${name}" parameter: ${problem}.`, startRange(node))

function argument(node: Expression, { name, type }: Parameter, context: Context): Value {
  const value = evaluate(node, context)
  try {
    return convert(value, type)
  } catch (error) {
    if (error instanceof ConversionError) return refuseArgument(context, name, error.message, node)
    throw error
  }
}

function invoke(spec: FunctionSpec, values: readonly Value[], context: Context): Value {
  for (const [index, value] of values.entries()) {
    if (isNull(value) && parameterAt(spec, index).allowsNull !== true) {
      throw new ArgumentFailure(index, 'argument must not be null')
    }
  }
  return values.every(isKnown) ? spec.call!(values, context.scope) : unknown
}

/** Does the call, and tells its failures as HCL does. */
function guarded(
  node: Call,
  spec: FunctionSpec,
  args: readonly Expression[],
  context: Context,
  call: () => Value,
): Value {
  try {
    return call()
  } catch (error) {
    const arg = error instanceof ArgumentFailure ? args[error.index] : undefined
    if (error instanceof ArgumentFailure && arg !== undefined) {
      return refuseArgument(context, parameterAt(spec, error.index).name, error.message, arg)
    }
    if (!(error instanceof CallFailure || error instanceof ConversionError)) throw error
    const detail = `Call to function "${node.name}" failed: ${error.message}.`
    return report(context, 'Error in function call', detail, startRange(node))
  }
}
