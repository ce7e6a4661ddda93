/** A text with a name. `origin` is where its first character stands, when it is a piece of another file (line and column from 1). */
export interface SourceFile {
  readonly name: string
  readonly text: string
  readonly origin?: Position
}

/** A stretch of a file: offsets in UTF-16 units, the end excluded. */
export interface Range {
  readonly file: SourceFile
  readonly start: number
  readonly end: number
}

/** From 1, columns counted in grapheme clusters, as HCL does. */
export interface Position {
  readonly line: number
  readonly column: number
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })
const plain = /^[\x20-\x7e\t]*$/

const graphemes = (text: string): number => {
  if (plain.test(text)) return text.length
  let count = 0
  for (const _ of segmenter.segment(text)) count++
  return count
}

export function positionAt(file: SourceFile, offset: number): Position {
  const before = file.text.slice(0, offset)
  const lastBreak = before.lastIndexOf('\n')
  const line = lastBreak === -1 ? 1 : before.split('\n').length
  const column = graphemes(before.slice(lastBreak + 1)) + 1
  const { origin } = file
  if (origin === undefined) return { line, column }
  return { line: line + origin.line - 1, column: line === 1 ? column + origin.column - 1 : column }
}

/** From the start of one range to the end of another in the same file. */
export const between = (first: Range, last: Range): Range => ({ file: first.file, start: first.start, end: last.end })

/** `file:line,column-column`, or with a line for the end when it is on another one. */
export function describeRange({ file, start, end }: Range): string {
  const first = positionAt(file, start)
  const last = positionAt(file, end)
  const until = last.line === first.line ? `${last.column}` : `${last.line},${last.column}`
  return `${file.name}:${first.line},${first.column}-${until}`
}
