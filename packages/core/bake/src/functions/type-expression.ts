import { ownValue } from '@berth/base'
import { type Context, report } from '../evaluate/evaluate.ts'
import { type Expression, keywordOf } from '../syntax/nodes.ts'
import { bool, dynamic, number, string, type Type } from '../values/types.ts'

const summary = 'Invalid type specification'
const primitives: Readonly<Record<string, Type>> = { string, number, bool, any: dynamic }
const constructors = ['list', 'set', 'map', 'object', 'tuple']

/** The type that an expression like `list(string)` names; undefined when a problem was noted. */
export function parseType(node: Expression, context: Context): Type | undefined {
  if (node.kind === 'parentheses') return parseType(node.inner, context)
  const refuse = (detail: string): undefined => {
    report(context, summary, detail, node.range)
  }
  const keyword = keywordOf(node)
  if (keyword !== undefined) return ownValue(primitives, keyword) ?? refuse(explainKeyword(keyword))
  if (node.kind !== 'call') {
    return refuse(
      'A type specification is either a primitive type keyword (bool, number, string) or a complex type constructor call, like list(string).',
    )
  }
  const { name, args } = node
  if (name in primitives) return refuse(`Primitive type keyword "${name}" does not expect arguments.`)
  if (!constructors.includes(name)) return refuse(`Keyword "${name}" is not a valid type constructor.`)
  const [arg] = args
  if (arg === undefined || args.length !== 1) return refuse(explainArguments(name))
  if (name === 'object') return parseObjectType(arg, context)
  if (name === 'tuple') return parseTupleType(arg, context)
  const element = parseType(arg, context)
  return element && { kind: name as 'list' | 'set' | 'map', element }
}

function explainKeyword(keyword: string): string {
  switch (keyword) {
    case 'list':
    case 'set':
    case 'map':
      return `The ${keyword} type constructor requires one argument specifying the element type.`
    case 'object':
      return 'The object type constructor requires one argument specifying the attribute types and values as a map.'
    case 'tuple':
      return 'The tuple type constructor requires one argument specifying the element types as a list.'
    default:
      return `The keyword "${keyword}" is not a valid type specification.`
  }
}

const explainArguments = (name: string): string =>
  name === 'object' || name === 'tuple'
    ? explainKeyword(name)
    : `The ${name} type constructor requires one argument specifying the element type.`

function parseObjectType(node: Expression, context: Context): Type | undefined {
  if (node.kind !== 'object') {
    const detail =
      'Object type constructor requires a map whose keys are attribute names and whose values are the corresponding attribute types.'
    report(context, summary, detail, node.range)
    return undefined
  }
  const attributes = new Map<string, Type>()
  const optional = new Set<string>()
  for (const { key, value } of node.items) {
    const name = keywordOf(key)
    if (name === undefined) {
      report(context, summary, 'Object constructor map keys must be attribute names.', key.range)
      return undefined
    }
    const isOptional = value.kind === 'call' && value.name === 'optional'
    const type = parseType(isOptional ? (value.args[0] ?? value) : value, context)
    if (type === undefined) return undefined
    attributes.set(name, type)
    if (isOptional) optional.add(name)
  }
  return { kind: 'object', attributes, optional }
}

function parseTupleType(node: Expression, context: Context): Type | undefined {
  if (node.kind !== 'tuple') {
    report(context, summary, 'Tuple type constructor requires a list of element types.', node.range)
    return undefined
  }
  const elements = node.items.map((item) => parseType(item, context))
  return elements.every((one) => one !== undefined) ? { kind: 'tuple', elements } : undefined
}
