import { refuse } from './diagnostic.ts'
import type { Expression } from './nodes.ts'
import { parseExpression } from './parse-expression.ts'
import { between, type Range } from './source.ts'
import type { TokenReader } from './token-reader.ts'
import type { Token } from './tokens.ts'

const refuseFor = (detail: string, range: Range): never => refuse("Invalid 'for' expression", detail, range)

/** `[for ...]` or `{for ...}`, whose bracket was read. */
export function parseFor(reader: TokenReader, open: Token): Expression {
  return reader.withNewlines(false, () => {
    reader.read()
    const names = parseForNames(reader, refuseFor, {
      first: "For expression requires variable name after 'for'.",
      second: 'For expression requires value variable name after comma.',
      in: "For expression requires the 'in' keyword after its name declarations.",
    })
    const collection = parseExpression(reader)
    if (reader.peek().type !== ':') {
      refuseFor('For expression requires a colon after the collection expression.', reader.peek())
    }
    reader.read()
    const [key, value] = parseResult(reader)
    const ellipsis = reader.take('...')
    const condition = reader.isKeyword('if') ? (reader.read(), parseExpression(reader)) : undefined
    const isObject = open.type === '{'
    if (reader.peek().type !== (isObject ? '}' : ']')) {
      refuseFor("Extra characters after the end of the 'for' expression.", reader.peek())
    }
    const range = between(open, reader.read())
    checkShape(isObject, key, value, ellipsis)
    const isGrouped = ellipsis !== undefined
    return { kind: 'for', ...names, collection, key, value, condition, isGrouped, range, openRange: open }
  })
}

function parseResult(reader: TokenReader): [key: Expression | undefined, value: Expression] {
  const first = parseExpression(reader)
  return reader.take('=>') === undefined ? [undefined, first] : [first, parseExpression(reader)]
}

function checkShape(isObject: boolean, key: Expression | undefined, value: Expression, ellipsis?: Token): void {
  if (isObject) {
    if (key === undefined) refuseFor('Key expression is required when building an object.', value.range)
    return
  }
  if (key !== undefined) refuseFor('Key expression is not valid when building a tuple.', key.range)
  if (ellipsis !== undefined) refuseFor('Grouping ellipsis (...) cannot be used when building a tuple.', ellipsis)
}

/** The names between `for` and `in`, of an expression or of a directive. */
export function parseForNames(
  reader: TokenReader,
  refuseAt: (detail: string, range: Range) => never,
  words: { readonly first: string; readonly second: string; readonly in: string },
): { keyName: string | undefined; valueName: string } {
  if (reader.peek().type !== 'identifier') refuseAt(words.first, reader.peek())
  const first = reader.read().text
  let second: string | undefined
  if (reader.take(',') !== undefined) {
    if (reader.peek().type !== 'identifier') refuseAt(words.second, reader.peek())
    second = reader.read().text
  }
  if (!reader.isKeyword('in')) refuseAt(words.in, reader.peek())
  reader.read()
  return second === undefined ? { keyName: undefined, valueName: first } : { keyName: first, valueName: second }
}
