import { ComposeError } from './compose-error.ts'

type Lookup = (name: string) => string | undefined

const name = /[A-Za-z_][A-Za-z0-9_]*/y
const greatestLength = 1_000_000
const greatestDepth = 50

/** `$VAR`, `${VAR}`, `${VAR:-default}` and its like in a text, by compose's rules. */
export function interpolate(text: string, lookup: Lookup, depth = 0): string {
  if (depth > greatestDepth) throw new ComposeError(`invalid interpolation format: nested too deeply`)
  let result = ''
  let length = 0
  for (let at = 0; at < text.length;) {
    const dollar = text.indexOf('$', at)
    const end = dollar === -1 ? text.length : dollar
    const [next, value] = dollar === -1 ? [text.length, ''] : substitute(text, dollar, lookup, depth)
    const piece = text.slice(at, end) + value
    length += piece.length
    if (length > greatestLength) throw new ComposeError('an interpolated text is longer than a million characters')
    result += piece
    at = next
  }
  return result
}

/** What stands at a `$`, and where the text goes on. */
function substitute(text: string, at: number, lookup: Lookup, depth: number): [next: number, value: string] {
  if (text[at + 1] === '$') return [at + 2, '$']
  if (text[at + 1] === '{') {
    const close = closingBrace(text, at + 2)
    if (close === -1) throw invalid(text)
    return [close + 1, expand(text.slice(at + 2, close), lookup, depth)]
  }
  name.lastIndex = at + 1
  const found = name.exec(text)?.[0]
  if (found === undefined) throw invalid(text)
  return [at + 1 + found.length, lookup(found) ?? '']
}

/** A text that is no template; the message is the text. */
class FormatError extends Error {}

class MissingVariable extends Error {}

const invalid = (text: string): FormatError => new FormatError(text.slice(0, 200))

function closingBrace(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    if (text.startsWith('${', at)) depth++
    else if (text[at] === '}' && depth-- === 0) return at
  }
  return -1
}

function expand(inner: string, lookup: Lookup, depth: number): string {
  name.lastIndex = 0
  const variable = name.exec(inner)?.[0]
  if (variable === undefined) throw invalid(`\${${inner}}`)
  const rest = inner.slice(variable.length)
  const value = lookup(variable)
  if (rest === '') return value ?? ''
  const operator = /^:?[-?+]/.exec(rest)?.[0]
  if (operator === undefined) throw invalid(`\${${inner}}`)
  const isSet = operator.startsWith(':') ? (value ?? '') !== '' : value !== undefined
  const word = (): string => interpolate(rest.slice(operator.length), lookup, depth + 1)
  switch (operator.at(-1)) {
    case '-':
      return isSet ? value! : word()
    case '+':
      return isSet ? word() : ''
    default:
      if (isSet) return value!
      throw new MissingVariable(`required variable ${variable} is missing a value: ${word()}`)
  }
}

/** The same for every text in what a YAML file is made of; keys stay as they are. `path` is where `node` stands. */
export function interpolateAll(node: unknown, lookup: Lookup, path = ''): unknown {
  const below = (key: string): string => (path === '' ? key : `${path}.${key}`)
  if (typeof node === 'string') return interpolateAt(node, lookup, path)
  if (Array.isArray(node)) return node.map((item, index) => interpolateAll(item, lookup, `${path}[${index}]`))
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, interpolateAll(value, lookup, below(key))]),
  )
}

function interpolateAt(text: string, lookup: Lookup, path: string): string {
  try {
    return interpolate(text, lookup)
  } catch (error) {
    if (error instanceof MissingVariable) throw new ComposeError(`error while interpolating ${path}: ${error.message}`)
    if (!(error instanceof FormatError)) throw error
    const advice = 'You may need to escape any $ with another $.'
    throw new ComposeError(`invalid interpolation format for ${path}.\n${advice}\n${error.message}`)
  }
}
