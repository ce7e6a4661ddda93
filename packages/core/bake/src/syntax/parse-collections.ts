import { refuse } from './diagnostic.ts'
import type { Expression, ObjectItem } from './nodes.ts'
import { parseExpression } from './parse-expression.ts'
import { parseFor } from './parse-for.ts'
import { between } from './source.ts'
import type { TokenReader } from './token-reader.ts'
import type { Token } from './tokens.ts'

const unclosed = (what: string): string =>
  `There is no corresponding closing ${what} before the end of the file. This may be caused by incorrect ${what} nesting elsewhere in this file.`

export function parseTuple(reader: TokenReader): Expression {
  const open = reader.read()
  return reader.withNewlines(false, () => {
    if (reader.isKeyword('for')) return parseFor(reader, open)
    const items: Expression[] = []
    while (reader.peek().type !== ']') {
      items.push(parseExpression(reader))
      const next = reader.peek()
      if (next.type === ']') break
      if (next.type === 'end') refuse('Unterminated tuple constructor expression', unclosed('bracket'), open)
      if (next.type !== ',') {
        refuse('Missing item separator', 'Expected a comma to mark the beginning of the next item.', next)
      }
      reader.read()
    }
    return { kind: 'tuple', items, range: between(open, reader.read()), openRange: open }
  })
}

export function parseObject(reader: TokenReader): Expression {
  const open = reader.read()
  if (reader.withNewlines(false, () => reader.isKeyword('for'))) return parseFor(reader, open)
  return reader.withNewlines(true, () => {
    const items: ObjectItem[] = []
    for (;;) {
      if (reader.take('newline') !== undefined) continue
      if (reader.peek().type === '}') break
      items.push(parseItem(reader, open))
      const next = reader.peek()
      if (next.type === '}') break
      if (next.type === 'end') refuse('Unterminated object constructor expression', unclosed('brace'), open)
      if (next.type !== ',' && next.type !== 'newline') {
        const detail = 'Expected a newline or comma to mark the beginning of the next attribute.'
        refuse('Missing attribute separator', detail, next)
      }
      reader.read()
    }
    return { kind: 'object', items, range: between(open, reader.read()), openRange: open }
  })
}

function parseItem(reader: TokenReader, open: Token): ObjectItem {
  const isForced = reader.peek().type === '('
  const wrapped = parseExpression(reader)
  const next = reader.peek()
  if (next.type !== '=' && next.type !== ':') refuseSeparator(next, open)
  reader.read()
  const key: Expression = { kind: 'object-key', wrapped, isForced, range: wrapped.range }
  return { key, value: parseExpression(reader) }
}

function refuseSeparator(found: Token, open: Token): never {
  const equals = 'Expected an equals sign ("=") to mark the beginning of the attribute value.'
  switch (found.type) {
    case 'newline':
    case ',':
      return refuse(
        'Missing attribute value',
        'Expected an attribute value, introduced by an equals sign ("=").',
        found,
      )
    case 'identifier': {
      const hint =
        'If you intended to given an attribute name containing periods or spaces, write the name in quotes to create a string literal.'
      return refuse('Missing key/value separator', `${equals} ${hint}`, found)
    }
    case 'end':
      return refuse('Unterminated object constructor expression', unclosed('brace'), open)
    default:
      return refuse('Missing key/value separator', equals, found)
  }
}
