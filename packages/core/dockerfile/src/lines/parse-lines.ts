import { EngineError, invalid } from '@berth/base'
import { DockerfileError, type LineRange, locate } from '../dockerfile-error.ts'
import { type Directives, readDirectives } from './directives.ts'
import { type Heredoc, type HeredocStart, heredocsOf } from './heredocs.ts'
import { splitFlags } from './split-flags.ts'

/** One instruction as it stands in the file, not yet understood. */
export interface InstructionLine {
  /** As written. */
  readonly name: string
  /** `--interval=5s`: the words with two dashes that come first, without quotes. */
  readonly flags: readonly string[]
  readonly rest: string
  /** The logical line: continued lines joined, documents left out. */
  readonly text: string
  readonly heredocs: readonly Heredoc[]
  readonly lines: LineRange
  /** The comment lines right above, without `#`. */
  readonly comments: readonly string[]
  readonly escape: string
}

/** The instructions of a file, and what the parser has to say of it. */
export interface DockerfileLines {
  readonly directives: Directives
  readonly instructions: readonly InstructionLine[]
  /** Logical lines with an empty line inside of them. */
  readonly emptyContinuations: readonly InstructionLine[]
}

/** Instructions that may carry documents. */
const withHeredocs: readonly string[] = ['add', 'copy', 'run', 'onbuild']

/** Splits a Dockerfile into instructions; throws `DockerfileError` in Docker's words. */
export function parseLines(source: string): DockerfileLines {
  return new LineParser(source).run()
}

/** One instruction in one line, also what comes after ONBUILD. */
export function parseLine(text: string, escape = '\\', at: LineRange = { start: 1, end: 1 }): InstructionLine {
  const [, name = '', all = ''] = /^(\S+)\s*([^]*)$/.exec(text.trim()) ?? []
  const { flags, rest } = splitFlags(all, escape)
  return { name, flags, rest, text: text.trim(), heredocs: [], lines: at, comments: [], escape }
}

class LineParser {
  readonly #lines: readonly string[]
  readonly #directives: Directives
  readonly #continued: RegExp
  readonly #instructions: InstructionLine[] = []
  readonly #emptyContinuations: InstructionLine[] = []
  /** Index of the next line. */
  #at = 0
  #comments: string[] = []

  constructor(source: string) {
    this.#lines = source.replace(/^\uFEFF/, '').split(/(?<=\n)/)
    this.#directives = locate({ start: 1, end: 1 }, () => readDirectives(this.#lines.map(withoutNewline)))
    this.#continued = this.#directives.escape === '`' ? /(^|[^`])`[ \t]*$/ : /(^|[^\\])\\[ \t]*$/
  }

  run(): DockerfileLines {
    while (this.#at < this.#lines.length) this.#next()
    if (this.#instructions.length === 0) {
      throw new DockerfileError('file with no instructions', { start: this.#at, end: this.#at })
    }
    return {
      directives: this.#directives,
      instructions: this.#instructions,
      emptyContinuations: this.#emptyContinuations,
    }
  }

  #next(): void {
    const start = this.#at + 1
    const first = withoutNewline(this.#lines[this.#at++] as string).trimStart()
    if (first.startsWith('#')) return this.#comment(first)
    const { text, hasEmptyLine } = this.#join(first)
    if (text.trim() === '') {
      this.#comments = []
      return
    }
    const heredocs = this.#readHeredocs(text, start)
    const lines = { start, end: this.#at }
    const parsed = locate(lines, () => parseLine(text, this.#directives.escape, lines))
    const instruction = { ...parsed, heredocs, comments: this.#comments }
    this.#instructions.push(instruction)
    if (hasEmptyLine) this.#emptyContinuations.push(instruction)
    this.#comments = []
  }

  #comment(line: string): void {
    const comment = line.slice(1).trim()
    if (comment === '') this.#comments = []
    else this.#comments.push(comment)
  }

  /** Joins a line with those that continue it; comments and empty lines between them go. */
  #join(first: string): { text: string; hasEmptyLine: boolean } {
    let text = ''
    let hasEmptyLine = false
    let line = first
    for (;;) {
      if (!this.#continued.test(line)) return { text: text + line, hasEmptyLine }
      text += line.replace(this.#continued, '$1')
      const next = this.#nextContent()
      hasEmptyLine ||= next.skippedEmpty
      if (next.line === undefined) return { text, hasEmptyLine }
      line = next.line
    }
  }

  #nextContent(): { line: string | undefined; skippedEmpty: boolean } {
    let skippedEmpty = false
    while (this.#at < this.#lines.length) {
      const line = withoutNewline(this.#lines[this.#at++] as string)
      if (line.trimStart().startsWith('#')) continue
      if (line.trim() !== '') return { line, skippedEmpty }
      skippedEmpty = true
    }
    return { line: undefined, skippedEmpty }
  }

  #readHeredocs(text: string, start: number): Heredoc[] {
    const name = /^\s*(\S+)/.exec(text)?.[1]?.toLowerCase() ?? ''
    if (!withHeredocs.includes(name) || isJsonForm(text)) return []
    const starts = heredocsOf(text, this.#directives.escape)
    return starts.map((heredoc) => ({ ...heredoc, content: this.#readContent(heredoc, start) }))
  }

  #readContent(heredoc: HeredocStart, start: number): string {
    let content = ''
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at++] as string
      const bare = withoutNewline(line)
      if ((heredoc.chomp ? bare.replace(/^\t+/, '') : bare) === heredoc.name) return content
      content += line
    }
    throw new DockerfileError('unterminated heredoc', { start, end: this.#at })
  }
}

const withoutNewline = (line: string): string => line.replace(/\r?\n$/, '')

/** `RUN ["a", "<<b"]`: words of a JSON array open no document. */
function isJsonForm(text: string): boolean {
  const { rest } = splitFlags(text.replace(/^\s*\S+\s*/, ''), '\\')
  try {
    return parseJsonForm(rest) !== undefined
  } catch (error) {
    if (error instanceof EngineError) return false
    throw error
  }
}

/** A JSON array of strings, or undefined for what is no JSON array (the shell form). */
export function parseJsonForm(rest: string): string[] | undefined {
  const value = rest.trimStart().startsWith('[') ? tryJson(rest) : undefined
  if (!Array.isArray(value)) return undefined
  if (!value.every((item): item is string => typeof item === 'string')) {
    throw invalid('when using JSON array syntax, arrays must be comprised of strings only')
  }
  return value
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
