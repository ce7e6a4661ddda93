import { ownValue } from '@berth/base'
import { createHash } from 'node:crypto'
import { type Context, evaluate } from '../evaluate/evaluate.ts'
import type { Diagnostic } from '../syntax/diagnostic.ts'
import { BakeFileError } from '../syntax/diagnostic.ts'
import type { Expression } from '../syntax/nodes.ts'
import { convert as convertValue } from '../values/convert.ts'
import { dynamic, string } from '../values/types.ts'
import { booleanValue, isWhollyKnown, stringValue, textOf, unknown, type Value } from '../values/value.ts'
import { ArgumentFailure, CallFailure, define, type FunctionSpec, parameter } from './function.ts'
import { parseType } from './type-expression.ts'

function attempt(node: Expression, context: Context): { value: Value; problems: Diagnostic[] } {
  const problems: Diagnostic[] = []
  return { value: evaluate(node, { ...context, problems }), problems }
}

/** The first of the expressions that can be evaluated. */
const tryFirst: FunctionSpec = {
  parameters: [],
  variadic: parameter('expressions', dynamic),
  expressions(args, context) {
    if (args.length === 0) throw new CallFailure('at least one argument is required')
    const all: Diagnostic[] = []
    for (const arg of args) {
      const { value, problems } = attempt(arg, context)
      if (problems.length === 0 && isWhollyKnown(value)) return value
      all.push(...problems)
    }
    const told = all.map((problem) => `- ${new BakeFileError([problem]).message}`)
    throw new CallFailure(
      `no expression succeeded:\n${told.join('\n')}\n\nAt least one expression must produce a successful result`,
    )
  },
}

const can: FunctionSpec = {
  parameters: [parameter('expression', dynamic)],
  expressions: ([arg], context) => booleanValue(attempt(arg!, context).problems.length === 0),
}

const convert: FunctionSpec = {
  parameters: [parameter('value', dynamic), parameter('type', dynamic)],
  expressions([arg, type], context) {
    const before = context.problems.length
    const value = evaluate(arg!, context)
    const wanted = parseType(type!, context)
    if (context.problems.length > before || wanted === undefined) return unknown
    try {
      return convertValue(value, wanted)
    } catch (error) {
      throw new ArgumentFailure(0, (error as Error).message)
    }
  },
}

const namespaces: Readonly<Record<string, string>> = {
  dns: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
  url: '6ba7b811-9dad-11d1-80b4-00c04fd430c8',
  oid: '6ba7b812-9dad-11d1-80b4-00c04fd430c8',
  x500: '6ba7b814-9dad-11d1-80b4-00c04fd430c8',
}

/** RFC 9562, version 5: by SHA-1 from a namespace and a name. */
function nameUuid(namespace: string, name: string): string {
  const hex = (ownValue(namespaces, namespace) ?? namespace).replaceAll('-', '').toLowerCase()
  if (!/^[0-9a-f]{32}$/.test(hex)) {
    throw new CallFailure(`uuidv5() doesn't support namespace ${namespace} (invalid UUID length: ${namespace.length})`)
  }
  const bytes = createHash('sha1').update(Buffer.from(hex, 'hex')).update(name).digest().subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x50
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

export const specialFunctions = (host: {
  readonly homeFolder: string
  uuid(): string
}): Record<string, FunctionSpec> => ({
  try: tryFirst,
  can,
  convert,
  homedir: define([], () => stringValue(host.homeFolder)),
  uuidv4: define([], () => stringValue(host.uuid())),
  uuidv5: define([parameter('namespace', string), parameter('name', string)], ([namespace, name]) =>
    stringValue(nameUuid(textOf(namespace!), textOf(name!))),
  ),
})
