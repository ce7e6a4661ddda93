import { refuse } from './diagnostic.ts'
import { explainInvalid } from './invalid-tokens.ts'
import { scanHeredoc, scanQuoted, scanText } from './scan-templates.ts'
import type { SourceFile } from './source.ts'
import { longestFirst, type Token, type TokenType } from './tokens.ts'

/** What is being scanned: an expression (perhaps in `${}`), or one of the texts that may contain those. */
export type ScanMode =
  | { readonly kind: 'expression'; readonly isSequence: boolean; braces: number }
  | { readonly kind: 'quoted' }
  | { readonly kind: 'heredoc'; readonly marker: string; atLineStart: boolean }
  | { readonly kind: 'text' }

/** The state of a scan: `at` is the offset of what comes next. */
export interface Scan {
  readonly file: SourceFile
  readonly tokens: Token[]
  readonly modes: ScanMode[]
  at: number
}

const space = /[ \t]+/y
const newline = /\r?\n/y
const lineComment = /(?:#|\/\/)[^\n]*/y
const blockComment = /\/\*[\s\S]*?\*\//y
const identifier = /[\p{ID_Start}_][\p{ID_Continue}-]*/uy
const number = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const heredoc = /<<-?([\p{ID_Start}_][\p{ID_Continue}-]*)\r?\n/uy

/** The tokens of a file, without spaces and comments; throws at the first that is not of the language. */
export function scanFile(file: SourceFile): Token[] {
  return run({ file, tokens: [], modes: [{ kind: 'expression', isSequence: false, braces: 0 }], at: 0 })
}

/** The tokens of a text that is a template as a whole. */
export function scanTemplate(file: SourceFile): Token[] {
  return run({ file, tokens: [], modes: [{ kind: 'text' }], at: 0 })
}

function run(scan: Scan): Token[] {
  while (scan.at < scan.file.text.length) {
    const mode = scan.modes.at(-1)!
    if (mode.kind === 'expression') scanExpression(scan, mode)
    else if (mode.kind === 'quoted') scanQuoted(scan)
    else if (mode.kind === 'heredoc') scanHeredoc(scan, mode)
    else scanText(scan)
  }
  push(scan, 'end', '')
  return scan.tokens
}

/** Takes `text`, which is what comes next. */
export function push(scan: Scan, type: TokenType, text: string): void {
  const { file, at } = scan
  scan.at += text.length
  const token: Token = { type, text, file, start: at, end: scan.at }
  if (type === 'invalid') refuse(...explainInvalid(token), token)
  scan.tokens.push(token)
}

/** What `pattern`, which is sticky, finds at the place of the scan. */
export function match(scan: Scan, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = scan.at
  return pattern.exec(scan.file.text)
}

function scanExpression(scan: Scan, mode: ScanMode & { kind: 'expression' }): void {
  const skipped = match(scan, space) ?? match(scan, lineComment) ?? match(scan, blockComment)
  if (skipped !== null) {
    scan.at += skipped[0].length
    return
  }
  const broken = match(scan, newline)
  if (broken !== null) return push(scan, 'newline', broken[0])
  const name = match(scan, identifier)
  if (name !== null) return push(scan, 'identifier', name[0])
  const digits = match(scan, number)
  if (digits !== null) return push(scan, 'number', digits[0])
  scanSymbol(scan, mode)
}

function scanSymbol(scan: Scan, mode: ScanMode & { kind: 'expression' }): void {
  const { text } = scan.file
  if (text[scan.at] === '"') {
    push(scan, 'open-quote', '"')
    scan.modes.push({ kind: 'quoted' })
    return
  }
  const opened = match(scan, heredoc)
  if (opened !== null) {
    push(scan, 'open-heredoc', opened[0])
    scan.modes.push({ kind: 'heredoc', marker: opened[1]!, atLineStart: true })
    return
  }
  if (mode.isSequence && mode.braces === 0) {
    const end = text.startsWith('~}', scan.at) ? '~}' : text[scan.at] === '}' ? '}' : ''
    if (end !== '') {
      push(scan, 'sequence-end', end)
      scan.modes.pop()
      return
    }
  }
  const symbol = longestFirst.find((one) => text.startsWith(one, scan.at))
  if (symbol === '{') mode.braces++
  if (symbol === '}') mode.braces--
  if (symbol !== undefined) push(scan, symbol, symbol)
  else push(scan, 'invalid', String.fromCodePoint(text.codePointAt(scan.at)!))
}
