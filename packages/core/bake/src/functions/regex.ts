import { string } from '../values/types.ts'
import { listValue, nullOf, objectValue, stringValue, textOf, tupleValue, type Value } from '../values/value.ts'
import { ArgumentFailure, CallFailure, define, type FunctionSpec, parameter } from './function.ts'
import { boundedMatching, compilePattern, PatternError } from './go-regex.ts'

/** The whole match; or its groups, as a tuple, or as an object when they have names. */
function captured(match: RegExpExecArray): Value {
  const value = (text: string | undefined): Value => (text === undefined ? nullOf(string) : stringValue(text))
  if (match.groups !== undefined) {
    if (Object.keys(match.groups).length !== match.length - 1) {
      throw new CallFailure("can't use both named and unnamed capture groups within the same regex")
    }
    return objectValue(Object.entries(match.groups).map(([name, text]) => [name, value(text)]))
  }
  return match.length === 1 ? stringValue(match[0]) : tupleValue(match.slice(1).map(value))
}

function compiled(pattern: Value, index: number, flags = ''): RegExp {
  try {
    return compilePattern(textOf(pattern), flags)
  } catch (error) {
    if (error instanceof PatternError) throw new ArgumentFailure(index, error.message)
    throw error
  }
}

const parameters = [parameter('pattern', string), parameter('string', string)]

const regex = define(parameters, ([pattern, text]) => {
  const expression = compiled(pattern!, 0)
  const match = boundedMatching(() => expression.exec(textOf(text!)))
  if (match === null) throw new CallFailure('pattern did not match any part of the given string')
  return captured(match)
})

const regexall = define(parameters, ([pattern, text]) => {
  const expression = compiled(pattern!, 0, 'g')
  const matches = boundedMatching(() => [...textOf(text!).matchAll(expression)]).map(captured)
  return listValue(matches[0]?.type ?? string, matches)
})

const replace = define(
  [parameter('str', string), parameter('pattern', string), parameter('replace', string)],
  ([text, pattern, replacement]) => {
    const expression = compiled(pattern!, 1, 'g')
    const template = textOf(replacement!)
    return stringValue(
      boundedMatching(() => textOf(text!).replace(expression, (...args: unknown[]) => expandTemplate(template, args))),
    )
  },
)

/** Go's `$1`, `${1}`, `$name`, `$$` in what replaces a match; `args` are those of a replacer. */
function expandTemplate(template: string, args: readonly unknown[]): string {
  const hasNames = typeof args.at(-1) === 'object'
  const names = (hasNames ? args.at(-1) : {}) as Record<string, string | undefined>
  const count = args.length - (hasNames ? 3 : 2)
  return template.replaceAll(/\$(?:\$|\{(\w+)\}|(\w+))/g, (all: string, braced?: string, bare?: string) => {
    const name = braced ?? bare
    if (name === undefined) return all === '$$' ? '$' : all
    const found = /^\d+$/.test(name) ? (Number(name) < count ? args[Number(name)] : undefined) : names[name]
    return typeof found === 'string' ? found : ''
  })
}

export const regexFunctions: Readonly<Record<string, FunctionSpec>> = { regex, regexall, regex_replace: replace }
