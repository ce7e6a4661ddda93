import { createContext, Script } from 'node:vm'
import { CallFailure } from './function.ts'

const timeoutMs = 1000

/** A pattern that RE2 does not know. */
export class PatternError extends Error {}

const fail = (problem: string, found: string): never => {
  throw new PatternError(`invalid regexp pattern: ${problem} in ${found}`)
}

const posix: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
}

interface Group {
  dotMatchesAll: boolean
  /** Parentheses that `(?i)` has opened within the group. */
  opened: number
}

/** A pattern of Go's RE2 syntax as one of JavaScript's, with the flag v's little brother u. */
export function translatePattern(pattern: string): string {
  const groups: Group[] = [{ dotMatchesAll: false, opened: 0 }]
  let translated = ''
  for (let at = 0; at < pattern.length;) {
    const rest = pattern.slice(at)
    const [taken, text] = translatePiece(rest, groups)
    at += taken
    translated += text
  }
  if (groups.length !== 1) fail('missing closing )', pattern)
  return translated + ')'.repeat(groups[0]!.opened)
}

/** How many characters were taken, and what they become. */
function translatePiece(rest: string, groups: Group[]): [number, string] {
  const group = groups.at(-1)!
  switch (rest[0]) {
    case '\\':
      return translateEscape(rest, false)
    case '[':
      return translateClass(rest)
    case '.':
      return [1, group.dotMatchesAll ? '[^]' : '[^\\n]']
    case '(':
      return translateGroup(rest, groups)
    case ')':
      if (groups.length === 1) fail('unexpected )', rest)
      groups.pop()
      return [1, ')'.repeat(group.opened + 1)]
    case '{':
      return /^\{\d+(?:,\d*)?\}/.test(rest) ? [1, '{'] : [1, '\\{']
    case '}':
      return [1, '}']
    case ']':
      return [1, '\\]']
    default:
      return [1, rest[0]!]
  }
}

function translateGroup(rest: string, groups: Group[]): [number, string] {
  const group = groups.at(-1)!
  const open = (dotMatchesAll = group.dotMatchesAll): void => {
    groups.push({ dotMatchesAll, opened: 0 })
  }
  if (!rest.startsWith('(?')) {
    open()
    return [1, '(']
  }
  const named = /^\(\?P?<(\w+)>/.exec(rest)
  if (named !== null) {
    open()
    return [named[0].length, `(?<${named[1]}>`]
  }
  const flags = /^\(\?([ims]*)(?:-([ims]+))?([:)])/.exec(rest)
  if (flags === null) return fail('invalid or unsupported Perl syntax', rest.slice(0, 3))
  const [all, on, off = '', end] = flags as unknown as [string, string, string | undefined, string]
  const dotMatchesAll = off.includes('s') ? false : on.includes('s') || group.dotMatchesAll
  const without = (letters: string): string => letters.replaceAll('s', '')
  const minus = without(off) === '' ? '' : `-${without(off)}`
  if (end === ':') open(dotMatchesAll)
  else {
    group.dotMatchesAll = dotMatchesAll
    group.opened++
  }
  return [all.length, `(?${without(on)}${minus}:`]
}

function translateEscape(rest: string, isInClass: boolean): [number, string] {
  const next = rest[1]
  if (next === undefined) return fail('trailing backslash at end of expression', '')
  const property = /^\\([pP])(?:\{(\^?)(\w+)\}|(\w))/.exec(rest)
  if (property !== null) {
    const [all, letter, not, long, short] = property as unknown as [string, string, string?, string?, string?]
    const name = long ?? short!
    return [
      all.length,
      `\\${not === '^' ? (letter === 'p' ? 'P' : 'p') : letter}{${name.length > 2 ? 'Script=' : ''}${name}}`,
    ]
  }
  const quoted = /^\\Q([\s\S]*?)(?:\\E|$)/.exec(rest)
  if (quoted !== null) return [quoted[0].length, quoted[1]!.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')]
  const hex = /^\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(rest)
  if (hex !== null) return [hex[0].length, `\\u{${hex[1] ?? hex[2]}}`]
  if (next === 's') return [2, isInClass ? '\\t\\n\\f\\r ' : '[\\t\\n\\f\\r ]']
  if (next === 'S' && !isInClass) return [2, '[^\\t\\n\\f\\r ]']
  if ('dDwWntrfvS'.includes(next)) return [2, `\\${next}`]
  if (next === 'a') return [2, '\\x07']
  if (!isInClass && (next === 'b' || next === 'B')) return [2, `\\${next}`]
  if (!isInClass && next === 'A') return [2, '(?<![^])']
  if (!isInClass && next === 'z') return [2, '(?![^])']
  if (/[\w]/.test(next)) return fail('invalid escape sequence', `\\${next}`)
  return [2, /[\^$\\.*+?()[\]{}|/-]/.test(next) && (next !== '-' || isInClass) ? `\\${next}` : next]
}

function translateClass(rest: string): [number, string] {
  let at = rest[1] === '^' ? 2 : 1
  let text = rest.slice(0, at)
  for (let isFirst = true; ; isFirst = false) {
    const inner = rest.slice(at)
    if (inner === '') return fail('missing closing ]', rest)
    if (inner[0] === ']' && !isFirst) return [at + 1, `${text}]`]
    const [taken, piece] = translateMember(inner)
    at += taken
    text += piece
  }
}

function translateMember(rest: string): [number, string] {
  const named = /^\[:(\^?)(\w+):\]/.exec(rest)
  if (named !== null) {
    const members = posix[named[2]!]
    if (members === undefined || named[1] === '^') return fail('invalid character class range', named[0])
    return [named[0].length, members]
  }
  if (rest[0] === '\\') return translateEscape(rest, true)
  return [1, rest[0] === '[' || rest[0] === ']' ? `\\${rest[0]}` : rest[0]!]
}

/** A regular expression from a pattern in Go's syntax; throws PatternError for what RE2 does not know. */
export function compilePattern(pattern: string, flags = ''): RegExp {
  const source = translatePattern(pattern)
  try {
    return new RegExp(source, `u${flags}`)
  } catch {
    return fail('invalid pattern', pattern)
  }
}

const sandbox = createContext(Object.create(null) as Record<string, unknown>)
const program = new Script('work()')

/** Does what matches an expression, and ends it after a second: what somebody wrote may backtrack for years. */
export function boundedMatching<T>(work: () => T): T {
  sandbox['work'] = work
  try {
    return program.runInContext(sandbox, { timeout: timeoutMs }) as T
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
    throw new CallFailure('the regular expression takes too long to match')
  } finally {
    sandbox['work'] = undefined
  }
}
