import { invalid, linearRegExp } from '@berth/base'
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

/** A pattern of paths that somebody wrote. */
export interface PathPattern {
  /** Whether the whole of `path` is as the pattern says. */
  test(path: string): boolean
}

interface Rule {
  readonly pattern: PathPattern
  readonly isException: boolean
}

/** PATH_MAX of limits.h: nothing has a longer name to be opened by. */
const longestPath = 4096

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
      if (compiled.length === 0 || path.length > longestPath) return false
      const prefixes = prefixesOf(path)
      let ignored = false
      for (const { pattern, isException } of compiled) {
        if (isException !== ignored) continue
        if (prefixes.some((prefix) => pattern.test(prefix))) ignored = !isException
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

function compile(pattern: string): Rule {
  const isException = pattern.startsWith('!')
  return { pattern: compilePath(isException ? pattern.slice(1) : pattern), isException }
}

const wildcards: readonly string[] = ['*', '**', '**/']
/** Characters of a path that a pattern of two wildcards is soon through with in every way there is. */
const shortPath = 256

/**
 * Go's filepath.Match with `**`: https://pkg.go.dev/path/filepath#Match. Throws `invalid` for what is no pattern. Each
 * wildcard multiplies the ways in which a path may match by its length: with many of them a matcher is used that takes
 * longer for what is short, and no longer for anything else.
 */
export function compilePath(pattern: string): PathPattern {
  // A class that is not closed takes the rest.
  const tokens = pattern.match(/\*\*\/?|\*|\?|\\[^]|\[\^?(?:\\[^]|[^\]\\])*(?:\]|\\?$)|[^]/gu) ?? []
  const count = tokens.filter((token) => wildcards.includes(token)).length
  const quick = regExpOf(pattern, tokens.map(tokenToRegExp))
  if (count < 2) return quick
  const linear = linearOf(tokens) ?? (count === 2 ? quick : undefined)
  if (!linear) throw invalid(`too many wildcards in pattern: ${JSON.stringify(pattern)}`)
  return { test: (path) => (count > 2 || path.length > shortPath ? linear : quick).test(path) }
}

function regExpOf(pattern: string, parts: readonly string[]): RegExp {
  try {
    return new RegExp(`^${parts.join('')}$`, 'su')
  } catch (error) {
    throw invalid(`syntax error in pattern: ${JSON.stringify(pattern)}`, error)
  }
}

/**
 * That matcher knows a character beyond U+FFFF as two: where one is meant there may be both. Undefined with a class of such
 * characters.
 */
function linearOf(tokens: readonly string[]): RegExp | undefined {
  if (tokens.some((token) => token.startsWith('[') && /[\ud800-\udfff]/.test(token))) return undefined
  const parts = tokens.map((token) => {
    const part = tokenToRegExp(token)
    return part.startsWith('[^') && !part.endsWith('*') ? `(?:[\ud800-\udbff][\udc00-\udfff]|${part})` : part
  })
  return linearRegExp(`^${parts.join('')}$`, 's')
}

function tokenToRegExp(token: string): string {
  if (token === '**/') return '(?:.*/)?'
  if (token === '**') return '.*'
  if (token === '*') return '[^/]*'
  if (token === '?') return '[^/]'
  if (token.startsWith('[')) return classToRegExp(token)
  return literal(token.startsWith('\\') && token.length > 1 ? token.slice(1) : token)
}

function classToRegExp(token: string): string {
  if (!/[^\\](?:\\\\)*\]$/.test(token)) throw invalid(`syntax error in pattern: ${JSON.stringify(token.slice(0, 300))}`)
  const isNegated = token.startsWith('[^')
  const inner = token.slice(isNegated ? 2 : 1, -1)
  if (inner === '') throw invalid(`syntax error in pattern: ${JSON.stringify(token)}`)
  const escaped = inner.replace(/\\([^])|([[\]{}()|^&~])/gu, (_, quoted: string | undefined, plain: string) => {
    return `\\${quoted ?? plain}`
  })
  return isNegated ? `[^/${escaped}]` : `[${escaped}]`
}

const literal = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
