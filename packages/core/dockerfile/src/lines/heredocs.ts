import { expandWord } from '../words/expand-word.ts'
import { splitWords } from '../words/split-words.ts'

/** A document that stands in the Dockerfile itself: `<<EOF` and the lines up to `EOF`. */
export interface Heredoc {
  readonly name: string
  /** Its name is not quoted: variables in it are expanded. */
  readonly expand: boolean
  /** `<<-`: tabs at the start of lines go. */
  readonly chomp: boolean
  /** The descriptor before `<<`, 0 by default. */
  readonly descriptor: number
  readonly content: string
}

export type HeredocStart = Omit<Heredoc, 'content'>

/** The document that `word` opens, or undefined. */
export function parseHeredoc(word: string, escape: string): HeredocStart | undefined {
  const m = /^(\d*)<<(-?)([^<]*)$/.exec(word)
  const rest = m?.[3]
  if (!m || !rest) return undefined
  const words = splitWords(rest, escape)
  if (words.length !== 1) return undefined
  const name = expandWord(rest, { environment: noVariables, escape, keepsUnset: true })
  return { name, expand: !/['"]/.test(rest), chomp: m[2] === '-', descriptor: Number(m[1] || 0) }
}

/** The documents that a line opens, in order. */
export function heredocsOf(line: string, escape: string): HeredocStart[] {
  if (!line.includes('<<')) return []
  return splitWords(line, escape).flatMap((word) => parseHeredoc(word, escape) ?? [])
}

/** The content without the tabs that stand at the start of its lines. */
export const chompTabs = (content: string): string => content.replace(/^\t+/gm, '')

const noVariables: ReadonlyMap<string, string> = new Map()
