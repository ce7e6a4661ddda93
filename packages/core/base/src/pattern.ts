import { invalid } from './errors.ts'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** A regular expression of a user's. */
export interface Pattern {
  /** Whether it matches anywhere in `text`. Throws `invalid` when that takes too long. */
  test(text: string): boolean
}

/** How long one pattern may take, over all its texts. */
const budgetMs = 200
const longest = 1000

/**
 * Compiles a regular expression that the engine matches for others: it must not keep the engine from everyone else. Most
 * run in linear time; the rest stop when their time is up. As Go does, refuses what no linear matcher knows: look-around
 * and references back. Throws `invalid` saying what is wrong.
 */
export function compilePattern(source: string): Pattern {
  if (source.length > longest) throw invalid(`error parsing regexp: longer than ${longest} characters`)
  requireRegular(source)
  // Go's way to ask for letters of both cases.
  const [flags, body] = source.startsWith('(?i)') ? ['i', source.slice(4)] : ['', source]
  return linearRegExp(body, flags) ?? compileBounded(body, flags)
}

/** A regular expression for V8's matcher that does not go back; undefined when it cannot run this one. */
export function linearRegExp(body: string, flags: string): RegExp | undefined {
  setFlagsFromString('--enable-experimental-regexp-engine')
  try {
    return new RegExp(body, `${flags}l`)
  } catch {
    return undefined
  }
}

function compileBounded(body: string, flags: string): Pattern {
  const pattern = parse(body, flags)
  let leftMs = budgetMs
  const test = (text: string): boolean => {
    const startedMs = performance.now()
    try {
      // Node stops a script that takes longer, also in the midst of a match.
      return runInNewContext('pattern.test(text)', { pattern, text }, { timeout: Math.ceil(leftMs) }) as boolean
    } catch (error) {
      throw invalid(`the regular expression ${JSON.stringify(body)} takes too long`, error)
    } finally {
      leftMs = Math.max(1, leftMs - (performance.now() - startedMs))
    }
  }
  return { test }
}

function parse(body: string, flags: string): RegExp {
  try {
    return new RegExp(body, flags)
  } catch (error) {
    throw invalid(`error parsing regexp: ${body}`, error)
  }
}

/** Escapes and classes are skipped, so that what looks like an operator there is none. */
const irregular = /\\[1-9k]|\(\?(?:<?[=!])/
const literals = /\\[^1-9k]|\[(?:\\.|[^\]\\])*\]/gs

function requireRegular(source: string): void {
  const found = irregular.exec(source.replace(literals, '.'))
  if (found) throw invalid(`error parsing regexp: invalid or unsupported Perl syntax: \`${found[0]}\``)
}
