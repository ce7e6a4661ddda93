import { refuse } from './diagnostic.ts'
import type { Call, Expression } from './nodes.ts'
import { parseExpression } from './parse-expression.ts'
import { between } from './source.ts'
import type { TokenReader } from './token-reader.ts'
import type { Token } from './tokens.ts'

/** A call, whose first name was read. */
export function parseCall(reader: TokenReader, first: Token): Call {
  let name = first.text
  let last = first
  while (reader.take('::') !== undefined) {
    last = reader.read()
    if (last.type !== 'identifier') {
      const detail = 'Function scope resolution symbol :: must be followed by a function name in this scope.'
      refuse('Missing function name', detail, last)
    }
    name += `::${last.text}`
  }
  const open = reader.read()
  if (open.type !== '(') {
    const detail = 'Function selector must be followed by an open parenthesis to begin the function call.'
    refuse('Missing open parenthesis', detail, open)
  }
  const { args, expandsLast, close } = reader.withNewlines(false, () => parseArguments(reader, between(first, open)))
  return {
    kind: 'call',
    name,
    args,
    expandsLast,
    nameRange: between(first, last),
    openRange: open,
    closeRange: close,
    range: between(first, close),
  }
}

function parseArguments(
  reader: TokenReader,
  opening: ReturnType<typeof between>,
): { args: Expression[]; expandsLast: boolean; close: Token } {
  const args: Expression[] = []
  for (;;) {
    const end = reader.take(')')
    if (end !== undefined) return { args, expandsLast: false, close: end }
    args.push(parseExpression(reader))
    const separator = reader.read()
    switch (separator.type) {
      case ')':
        return { args, expandsLast: false, close: separator }
      case ',':
        break
      case '...': {
        const close = reader.take(')')
        if (close !== undefined) return { args, expandsLast: true, close }
        const detail = 'An expanded function argument (with ...) must be immediately followed by closing parentheses.'
        return refuse('Missing closing parenthesis', detail, separator)
      }
      case 'end':
        return refuse(
          'Unterminated function call',
          'There is no closing parenthesis for this function call before the end of the file. This may be caused by incorrect parenthesis nesting elsewhere in this file.',
          opening,
        )
      default:
        return refuse(
          'Missing argument separator',
          'A comma is required to separate each function argument from the next.',
          separator,
        )
    }
  }
}
