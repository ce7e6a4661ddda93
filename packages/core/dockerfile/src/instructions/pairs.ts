import { invalid } from '@berth/base'
import type { InstructionLine } from '../lines/parse-lines.ts'
import { splitWords } from '../words/split-words.ts'
import { readFlags } from './flags.ts'
import type { Pair } from './types.ts'

/** `a=b c="d e"`, or the old form `a b c` of one pair; not expanded. */
export function parsePairs(line: InstructionLine): Pair[] {
  readFlags(line)
  const name = line.name.toUpperCase()
  const words = splitWords(line.rest, line.escape)
  const [first] = words
  if (first === undefined) throw invalid(`${name} requires at least one argument`)
  const pairs = first.includes('=') ? words.map(splitPair) : [splitOldPair(name, line.rest)]
  if (pairs.some(([key]) => key === '')) throw invalid(`${name} names can not be blank`)
  return pairs
}

function splitPair(word: string): Pair {
  const equals = word.indexOf('=')
  if (equals < 0) {
    throw invalid(`Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`)
  }
  return [word.slice(0, equals), word.slice(equals + 1)]
}

function splitOldPair(name: string, rest: string): Pair {
  const [, key, value] = /^(\S+)\s+([^]+)$/.exec(rest) ?? []
  if (key === undefined || value === undefined) throw invalid(`${name} must have two arguments`)
  return [key, value]
}
