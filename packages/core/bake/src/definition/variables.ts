import { splitCsv, parseGoBool } from '@berth/base'
import { evaluate } from '../evaluate/evaluate.ts'
import type { Scope } from '../evaluate/scope.ts'
import { decodeJson } from '../functions/json.ts'
import { parseType } from '../functions/type-expression.ts'
import { type Diagnostic, refuse, refuseIfAny } from '../syntax/diagnostic.ts'
import type { Attribute, Block } from '../syntax/nodes.ts'
import type { Range } from '../syntax/source.ts'
import { convert } from '../values/convert.ts'
import { parseNumber } from '../values/decimal.ts'
import { isPrimitive, list, string, type Type, typeName } from '../values/types.ts'
import { booleanValue, isNull, numberValue, stringValue, textOf, tupleValue, type Value } from '../values/value.ts'
import { checkBody } from './schema.ts'

/** A `variable` block. */
export interface Variable {
  readonly name: string
  readonly description: string
  readonly type: Type | undefined
  readonly fallback: Attribute | undefined
  readonly validations: readonly Validation[]
  readonly missingRange: Range
}

interface Validation {
  readonly condition: Attribute
  readonly message: Attribute
}

/** A problem that has no place of its own: it is told where the variable is. */
export class VariableError extends Error {}

export function readVariable(block: Block, scope: Scope): Variable {
  const { attributes, blocks } = checkBody(block.body, {
    attributes: ['type', 'default', 'description', 'nullable', 'sensitive', 'required'],
    blocks: ['validation'],
    isOpen: true,
  })
  const description = attributes.get('description')
  return {
    name: block.labels[0]!,
    description: description === undefined ? '' : textOf(constant(description, scope)),
    type: readType(attributes.get('type'), scope),
    fallback: attributes.get('default'),
    validations: blocks.map(readValidation),
    missingRange: block.body.missingRange,
  }
}

function constant({ expression }: Attribute, scope: Scope): Value {
  const problems: Diagnostic[] = []
  const value = evaluate(expression, { scope, problems })
  refuseIfAny(problems)
  return convert(value, string)
}

function readType(attribute: Attribute | undefined, scope: Scope): Type | undefined {
  if (attribute === undefined) return undefined
  const problems: Diagnostic[] = []
  const { expression } = attribute
  const node = expression.kind === 'deferred' ? unwrapJson(expression) : expression
  const type = parseType(node, { scope, problems })
  refuseIfAny(problems)
  return type
}

/** In JSON a type is a text: `"list(string)"`. */
function unwrapJson(node: Attribute['expression'] & { kind: 'deferred' }): Attribute['expression'] {
  return { kind: 'reference', root: node.text, rootRange: node.range, steps: [], range: node.range }
}

function readValidation({ body }: Block): Validation {
  const { attributes } = checkBody(body, {
    attributes: ['condition', 'error_message'],
    required: ['condition', 'error_message'],
  })
  return { condition: attributes.get('condition')!, message: attributes.get('error_message')! }
}

/** The default as the variable's type wants it. */
export function conformDefault({ name, type }: Variable, value: Value): Value {
  if (type === undefined) return value
  try {
    return convert(value, type)
  } catch (error) {
    throw new VariableError(
      `invalid type ${typeName(type)} for variable ${name} default value: ${(error as Error).message}`,
    )
  }
}

/** What the environment says, as a value of the variable's type or else of its default's. */
export function overrideFrom(text: string, { name, type }: Variable, fallback: Value | undefined): Value {
  const wanted = type ?? fallback?.type ?? string
  const isUntypedNull = type === undefined && wanted.kind === 'dynamic'
  if (isPrimitive(wanted) || isUntypedNull) return parsePrimitive(text, wanted, name)
  if (type === undefined) throw new VariableError(`unsupported type ${typeName(wanted)} for variable ${name}`)
  if (wanted.kind === 'object' || wanted.kind === 'dynamic')
    throw new VariableError(`unsupported type ${typeName(wanted)} for variable ${name}`)
  try {
    return fromCsv(text, wanted, name)
  } catch (error) {
    throw new VariableError(`failed to convert variable ${name} from CSV: ${(error as Error).message}`)
  }
}

/** The same from `NAME_JSON`. */
export function overrideFromJson(text: string, { name, type }: Variable): Value {
  const open = type!.kind === 'list' || type!.kind === 'set' || type!.kind === 'tuple' ? '[' : '{'
  try {
    if (!isPrimitive(type!) && !text.trim().startsWith(open)) throw new VariableError(`missing expected ${open}`)
    return convert(decodeJson(text), type!)
  } catch (error) {
    throw new VariableError(`failed to convert variable ${name} from JSON: ${(error as Error).message}`)
  }
}

function parsePrimitive(text: string, type: Type, name: string): Value {
  if (type.kind === 'bool') {
    const value = parseGoBool(text)
    if (value !== undefined) return booleanValue(value)
    throw new VariableError(
      `failed to parse ${name} as bool: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`,
    )
  }
  if (type.kind === 'number') {
    const value = parseNumber(text)
    if (value !== undefined) return numberValue(value)
    if (/^(?:nan|[+-]?inf(?:inity)?)$/i.test(text)) {
      throw new VariableError(`failed to parse ${name} as number: invalid number value`)
    }
    throw new VariableError(
      `failed to parse ${name} as number: strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`,
    )
  }
  return stringValue(text)
}

function fromCsv(text: string, type: Type, name: string): Value {
  if (text === '') throw new VariableError('failed to parse  as CSV: EOF')
  const fields = splitCsv(text)
  if (type.kind === 'map') return fromPairs(fields, type.element, name)
  const elementAt = (index: number): Type => {
    if (type.kind === 'tuple') return type.elements[index] ?? string
    return type.kind === 'list' || type.kind === 'set' ? type.element : string
  }
  const items = fields.map((field, index) => element(field, elementAt(index), type, name))
  return convert(tupleValue(items), type)
}

function element(field: string, type: Type, whole: Type, name: string): Value {
  if (!isPrimitive(type)) throw new VariableError(`unsupported type ${typeName(type)} for variable ${name}`)
  try {
    return parsePrimitive(field, type, name)
  } catch (error) {
    throw new VariableError(`failed to parse element of type ${typeName(whole)}: ${(error as Error).message}`)
  }
}

function fromPairs(fields: readonly string[], type: Type, name: string): Value {
  const keys: string[] = []
  const values: Value[] = []
  for (const field of fields) {
    const pieces = field.split(':')
    if (pieces.length !== 2) {
      throw new VariableError(`expected one k/v pair but got ${pieces.length} pieces from ${field}`)
    }
    keys.push(pieces[0]!)
    values.push(element(pieces[1]!, type, { kind: 'map', element: type }, name))
  }
  const value = convert(tupleValue(values), list(type))
  const data = new Map(keys.map((key, index) => [key, values[index]!]))
  return { ...value, type: { kind: 'map', element: type }, data }
}

/** Holds the variables against their validations. */
export function validate(variables: Iterable<Variable>, scope: Scope): void {
  const problems: Diagnostic[] = []
  for (const { validations } of variables) {
    for (const { condition, message } of validations) {
      const found: Diagnostic[] = []
      const holds = evaluate(condition.expression, { scope, problems: found })
      problems.push(...found)
      if (found.length > 0) continue
      if (isNull(holds) || holds.type.kind !== 'bool') {
        refuse('Invalid condition', 'The condition of a validation must be true or false.', condition.expression.range)
      }
      if (holds.data === true) continue
      const detail = textOf(constant(message, scope))
      problems.push({ summary: 'Validation failed', detail, subject: condition.expression.range })
    }
  }
  refuseIfAny(problems)
}
