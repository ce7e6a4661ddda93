import { invalid } from '@berth/base'
import { posix } from 'node:path'

/** What a `.dockerignore` leaves out: https://docs.docker.com/build/concepts/context/#dockerignore-files */
export interface IgnoreRules {
  /** Whether a path of the context, without a leading slash, is left out. */
  ignores(path: string): boolean
  /** Whether something below an ignored directory may be let in again. */
  readonly hasExceptions: boolean
  /** The patterns as BuildKit's clients take them. */
  readonly patterns: readonly string[]
}

interface Pattern {
  readonly regExp: RegExp
  readonly isException: boolean
}

/** Reads the lines of a `.dockerignore`. Throws `invalid` for a pattern that is none. */
export function parseIgnoreFile(text: string): IgnoreRules {
  return ignoreRules(
    text
      .replace(/^\uFEFF/, '')
      .split(/\r?\n/)
      .filter((line) => !line.startsWith('#'))
      .flatMap((line) => cleanPattern(line) ?? []),
  )
}

/** Rules of patterns that are clean already. Later ones win. */
export function ignoreRules(patterns: readonly string[]): IgnoreRules {
  const compiled = patterns.map(compile)
  return {
    patterns,
    hasExceptions: compiled.some(({ isException }) => isException),
    ignores(path) {
      if (compiled.length === 0) return false
      const prefixes = prefixesOf(path)
      let ignored = false
      for (const { regExp, isException } of compiled) {
        if (isException !== ignored) continue
        if (prefixes.some((prefix) => regExp.test(prefix))) ignored = !isException
      }
      return ignored
    },
  }
}

function cleanPattern(line: string): string | undefined {
  const trimmed = line.trim()
  if (trimmed === '') return undefined
  const isException = trimmed.startsWith('!')
  const pattern = isException ? trimmed.slice(1).trim() : trimmed
  if (isException && pattern === '') throw invalid('illegal exclusion pattern: "!"')
  const clean = posix
    .normalize(pattern)
    .replace(/^\/+(?=.)/, '')
    .replace(/(?<=.)\/+$/, '')
  return (isException ? '!' : '') + clean
}

/** `a`, `a/b`, `a/b/c`: what matches a parent holds for what is in it. */
function prefixesOf(path: string): string[] {
  const parts = path.split('/')
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'))
}

function compile(pattern: string): Pattern {
  const isException = pattern.startsWith('!')
  return { regExp: patternToRegExp(isException ? pattern.slice(1) : pattern), isException }
}

/** Go's filepath.Match with `**`: https://pkg.go.dev/path/filepath#Match */
export function patternToRegExp(pattern: string): RegExp {
  const tokens = pattern.match(/\*\*\/?|\*|\?|\\[^]|\[\^?(?:\\[^]|[^\]\\])*\]|[^]/gu) ?? []
  const source = tokens.map(tokenToRegExp).join('')
  try {
    return new RegExp(`^${source}$`, 'su')
  } catch (error) {
    throw invalid(`syntax error in pattern: ${JSON.stringify(pattern)}`, error)
  }
}

function tokenToRegExp(token: string): string {
  if (token === '**/') return '(?:.*/)?'
  if (token === '**') return '.*'
  if (token === '*') return '[^/]*'
  if (token === '?') return '[^/]'
  if (token.length > 1 && token.startsWith('[')) return classToRegExp(token)
  return literal(token.startsWith('\\') && token.length > 1 ? token.slice(1) : token)
}

function classToRegExp(token: string): string {
  const isNegated = token.startsWith('[^')
  const inner = token.slice(isNegated ? 2 : 1, -1)
  if (inner === '') throw invalid(`syntax error in pattern: ${JSON.stringify(token)}`)
  const escaped = inner.replace(/\\([^])|([[\]{}()|^&~])/gu, (_, quoted: string | undefined, plain: string) => {
    return `\\${quoted ?? plain}`
  })
  return isNegated ? `[^/${escaped}]` : `[${escaped}]`
}

const literal = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
