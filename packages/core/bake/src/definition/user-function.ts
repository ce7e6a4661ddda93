import { evaluate } from '../evaluate/evaluate.ts'
import { CallFailure, type FunctionSpec, parameter } from '../functions/function.ts'
import { BakeFileError, type Diagnostic, refuseIfAny } from '../syntax/diagnostic.ts'
import { type Attribute, type Block, type Expression, keywordOf } from '../syntax/nodes.ts'
import { dynamic } from '../values/types.ts'
import { tupleValue, type Value } from '../values/value.ts'
import { checkBody } from './schema.ts'

/** A `function` block. */
export interface UserFunction {
  readonly name: string
  readonly block: Block
  readonly params: Attribute | undefined
  readonly variadic: Attribute | undefined
  readonly result: Attribute | undefined
}

export function readFunction(block: Block): UserFunction {
  const { attributes } = checkBody(block.body, { attributes: ['params', 'variadic_params', 'result'] })
  return {
    name: block.labels[0]!,
    block,
    params: attributes.get('params'),
    variadic: attributes.get('variadic_params'),
    result: attributes.get('result'),
  }
}

export interface Signature {
  readonly parameters: readonly string[]
  readonly variadic: string | undefined
}

/** The names of the parameters. Throws BakeFileError. */
export function signatureOf(params: Attribute, variadic: Attribute | undefined): Signature {
  const problems: Diagnostic[] = []
  const parameters = itemsOf(params).map((item) => nameOf(item, problems, item.range))
  const last = variadic && nameOf(variadic.expression, problems, variadic.range)
  refuseIfAny(problems)
  return { parameters, variadic: last }
}

function itemsOf({ expression }: Attribute): readonly Expression[] {
  if (expression.kind === 'tuple') return expression.items
  throw new BakeFileError([
    { summary: 'Invalid expression', detail: 'A static list expression is required.', subject: expression.range },
  ])
}

function nameOf(node: Expression, problems: Diagnostic[], subject: Expression['range']): string {
  const name = node.kind === 'deferred' ? node.text : keywordOf(node)
  if (name !== undefined && /^[\p{ID_Start}_][\p{ID_Continue}-]*$/u.test(name)) return name
  problems.push({ summary: 'Invalid param element', detail: 'Each parameter name must be an identifier.', subject })
  return ''
}

/** What calls the function: its result is evaluated with the arguments in place of the parameters. */
export function callable({ parameters, variadic }: Signature, result: Expression): FunctionSpec {
  return {
    parameters: parameters.map((name) => parameter(name, dynamic)),
    variadic: variadic === undefined ? undefined : parameter(variadic, dynamic),
    call(args, scope) {
      const given = parameters.map((name, index): [string, Value] => [name, args[index]!])
      if (variadic !== undefined) given.push([variadic, tupleValue(args.slice(parameters.length))])
      let outer = scope
      while (outer.parent !== undefined) outer = outer.parent
      const problems: Diagnostic[] = []
      const value = evaluate(result, { scope: outer.child(given), problems })
      if (problems.length > 0) throw new CallFailure(new BakeFileError(problems).message)
      return value
    },
  }
}
