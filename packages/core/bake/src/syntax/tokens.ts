import type { SourceFile } from './source.ts'

const punctuation = [
  '{',
  '}',
  '[',
  ']',
  '(',
  ')',
  '*',
  '/',
  '+',
  '-',
  '%',
  '=',
  '==',
  '!=',
  '<',
  '>',
  '<=',
  '>=',
  '&&',
  '||',
  '!',
  '.',
  ',',
  ':',
  '::',
  '?',
  '=>',
  '...',
] as const
export type Punctuation = (typeof punctuation)[number]

/** Longest first, so that a scanner may take the first that fits. */
export const longestFirst: readonly Punctuation[] = punctuation.toSorted((a, b) => b.length - a.length)

export type TokenType =
  | Punctuation
  | 'identifier'
  | 'number'
  | 'newline'
  | 'end'
  | 'open-quote'
  | 'close-quote'
  | 'open-heredoc'
  | 'close-heredoc'
  /** Text in a quoted string: escapes are still in it. */
  | 'quoted'
  /** Text of a heredoc or of a template of its own, at most one line. */
  | 'text'
  | 'interpolation'
  | 'directive'
  | 'sequence-end'
  /** Not of the language; told with its own words. */
  | 'invalid'

/** A piece of a file: offsets in UTF-16 units. */
export interface Token {
  readonly type: TokenType
  readonly text: string
  readonly file: SourceFile
  readonly start: number
  readonly end: number
}
