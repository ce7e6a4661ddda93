import { match, push, type Scan, type ScanMode } from './scan.ts'

const quotedText = /(?:\\[\s\S]|\$\$\{|%%\{|[$%](?!\{)|[^"\\$%\r\n]|\r(?!\n))+/y
const lineText = /(?:\$\$\{|%%\{|[$%](?!\{)|[^$%\n])*\n?/y
const sequence = /[$%]\{~?/y
const newline = /\r?\n/y

/** Opens `${` or `%{`, if one comes next. */
function openSequence(scan: Scan): boolean {
  const opened = match(scan, sequence)?.[0]
  if (opened === undefined) return false
  push(scan, opened.startsWith('$') ? 'interpolation' : 'directive', opened)
  scan.modes.push({ kind: 'expression', isSequence: true, braces: 0 })
  return true
}

export function scanQuoted(scan: Scan): void {
  if (openSequence(scan)) return
  if (scan.file.text[scan.at] === '"') {
    push(scan, 'close-quote', '"')
    scan.modes.pop()
    return
  }
  const broken = match(scan, newline)
  if (broken !== null) return push(scan, 'invalid', broken[0])
  const text = match(scan, quotedText)
  push(scan, 'quoted', text === null ? scan.file.text[scan.at]! : text[0])
}

export function scanHeredoc(scan: Scan, mode: ScanMode & { kind: 'heredoc' }): void {
  if (mode.atLineStart && closeHeredoc(scan, mode.marker)) return
  mode.atLineStart = false
  if (openSequence(scan)) return
  const line = match(scan, lineText)![0]
  mode.atLineStart = line.endsWith('\n')
  push(scan, 'text', line)
}

/** A line with nothing but the marker ends the heredoc; what breaks that line is not of it. */
function closeHeredoc(scan: Scan, marker: string): boolean {
  const { text } = scan.file
  const end = text.indexOf('\n', scan.at)
  const line = text.slice(scan.at, end === -1 ? undefined : end)
  if (line.trim() !== marker) return false
  push(scan, 'close-heredoc', line.trimEnd())
  scan.modes.pop()
  return true
}

export function scanText(scan: Scan): void {
  if (openSequence(scan)) return
  push(scan, 'text', match(scan, lineText)![0])
}
