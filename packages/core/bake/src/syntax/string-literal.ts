import { refuse } from './diagnostic.ts'
import type { Token } from './tokens.ts'

const simple: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' }
const piece = /\\u[0-9a-fA-F]{0,4}|\\U[0-9a-fA-F]{0,8}|\\[\s\S]?|\$\$\{|%%\{|[^\\$%]+|[\s\S]/g

/** The text that a piece of a quoted string or of a heredoc stands for. */
export function decodeEscapes(token: Token): string {
  const isQuoted = token.type === 'quoted'
  let decoded = ''
  for (const { 0: text, index } of token.text.matchAll(piece)) {
    if (text === '$${' || text === '%%{') decoded += text.slice(1)
    else if (!isQuoted || !text.startsWith('\\')) decoded += text
    else decoded += decodeEscape(text, { ...token, start: token.start + index, end: token.start + index + text.length })
  }
  return decoded
}

function decodeEscape(text: string, range: Token): string {
  const summary = 'Invalid escape sequence'
  const selector = text[1]
  if (selector === undefined) {
    refuse(summary, 'Backslash must be followed by an escape sequence selector character.', range)
  }
  const known = simple[selector]
  if (known !== undefined) return known
  if (selector === 'u' || selector === 'U') {
    const [length, words] = selector === 'u' ? [6, 'four'] : [10, 'eight']
    if (text.length !== length) {
      refuse(summary, `The \\${selector} escape sequence must be followed by ${words} hexadecimal digits.`, range)
    }
    const point = Number.parseInt(text.slice(2), 16)
    if (point > 0x10_ff_ff || (point >= 0xd8_00 && point < 0xe0_00)) {
      refuse(summary, `Cannot encode character U+${text.slice(2).toLowerCase()} in UTF-8.`, range)
    }
    return String.fromCodePoint(point)
  }
  refuse(summary, `The symbol "${selector}" is not a valid escape sequence selector.`, range)
}
