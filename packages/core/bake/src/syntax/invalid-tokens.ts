import type { Token } from './tokens.ts'

const bitwise: Readonly<Record<string, string>> = {
  '&': ' Did you mean boolean AND ("&&")?',
  '|': ' Did you mean boolean OR ("||")?',
  '~': ' Did you mean boolean NOT ("!")?',
}

/** Summary and detail for a token that is not of the language, in HCL's words. */
export function explainInvalid({ text }: Token): [summary: string, detail: string] {
  if (text in bitwise || text === '^') {
    return ['Unsupported operator', `Bitwise operators are not supported.${bitwise[text] ?? ''}`]
  }
  switch (text) {
    case '\n':
    case '\r\n':
      return [
        'Invalid multi-line string',
        'Quoted strings may not be split over multiple lines. To produce a multi-line string, either use the \\n escape to represent a newline character or use the "heredoc" multi-line template syntax.',
      ]
    case "'":
      return ['Invalid character', 'Single quotes are not valid. Use double quotes (") to enclose strings.']
    case '`':
      return [
        'Invalid character',
        'The "`" character is not valid. To create a multi-line string, use the "heredoc" syntax, like "<<EOT".',
      ]
    case ';':
      return [
        'Invalid character',
        'The ";" character is not valid. Use newlines to separate arguments and blocks, and commas to separate items in collection values.',
      ]
    default:
      return ['Invalid character', 'This character is not used within the language.']
  }
}
