import { parseNumber } from '../values/decimal.ts'
import { booleanValue, nullOf, numberValue } from '../values/value.ts'
import { dynamic } from '../values/types.ts'
import { refuse } from './diagnostic.ts'
import type { BinaryOperator, Expression, Literal } from './nodes.ts'
import { parseCall } from './parse-call.ts'
import { parseObject, parseTuple } from './parse-collections.ts'
import { parseTemplateParts, templateOf } from './parse-template.ts'
import { parseSteps } from './parse-steps.ts'
import { between } from './source.ts'
import type { TokenReader } from './token-reader.ts'
import type { Token, TokenType } from './tokens.ts'

/** What binds least comes first; within a level, from left to right. */
const levels: readonly (readonly TokenType[])[] = [
  ['||'],
  ['&&'],
  ['==', '!='],
  ['>', '>=', '<', '<='],
  ['+', '-'],
  ['*', '/', '%'],
]

export function parseExpression(reader: TokenReader): Expression {
  return reader.nested(() => parseConditional(reader))
}

function parseConditional(reader: TokenReader): Expression {
  const condition = parseBinary(reader, 0)
  if (reader.take('?') === undefined) return condition
  const whenTrue = parseExpression(reader)
  const colon = reader.peek()
  if (colon.type !== ':') {
    const detail = 'The conditional operator (...?...:...) requires a false expression, delimited by a colon.'
    refuse('Missing false expression in conditional', detail, colon)
  }
  reader.read()
  const whenFalse = parseExpression(reader)
  const range = between(condition.range, whenFalse.range)
  return { kind: 'conditional', condition, whenTrue, whenFalse, range }
}

function parseBinary(reader: TokenReader, level: number): Expression {
  const operators = levels[level]
  if (operators === undefined) return parseOperand(reader)
  let left = parseBinary(reader, level + 1)
  while (operators.includes(reader.peek().type)) {
    const operator = reader.read().type as BinaryOperator
    const right = parseBinary(reader, level + 1)
    left = { kind: 'binary', operator, left, right, range: between(left.range, right.range) }
  }
  return left
}

const parseOperand = (reader: TokenReader): Expression => parseSteps(reader, parseTerm(reader))

function parseTerm(reader: TokenReader): Expression {
  const token = reader.peek()
  switch (token.type) {
    case '(':
      return parseParentheses(reader)
    case 'number':
      return numberLiteral(reader.read())
    case 'identifier':
      return parseName(reader)
    case 'open-quote':
    case 'open-heredoc':
      return parseString(reader)
    case '-':
    case '!':
      return parseUnary(reader, token.type)
    case '[':
      return parseTuple(reader)
    case '{':
      return parseObject(reader)
    case 'end':
      return refuse('Missing expression', 'Expected the start of an expression, but found the end of the file.', token)
    default:
      return refuse(
        'Invalid expression',
        'Expected the start of an expression, but found an invalid expression token.',
        token,
      )
  }
}

function parseParentheses(reader: TokenReader): Expression {
  const open = reader.read()
  return reader.withNewlines(false, () => {
    const inner = parseExpression(reader)
    const close = reader.peek()
    if (close.type !== ')') {
      refuse('Unbalanced parentheses', 'Expected a closing parenthesis to terminate the expression.', close)
    }
    return { kind: 'parentheses', inner, range: between(open, reader.read()) }
  })
}

/** A number as it is written. */
export function numberLiteral(token: Token): Literal {
  const value = parseNumber(token.text)
  if (value === undefined) {
    refuse('Invalid number literal', 'Failed to recognize the value of this number literal.', token)
  }
  return { kind: 'literal', value: numberValue(value), range: token }
}

function parseName(reader: TokenReader): Expression {
  const name = reader.read()
  const { type } = reader.peek()
  if (type === '(' || type === '::') return parseCall(reader, name)
  switch (name.text) {
    case 'true':
    case 'false':
      return { kind: 'literal', value: booleanValue(name.text === 'true'), range: name }
    case 'null':
      return { kind: 'literal', value: nullOf(dynamic), range: name }
    default:
      return { kind: 'reference', root: name.text, rootRange: name, steps: [], range: name }
  }
}

function parseString(reader: TokenReader): Expression {
  const open = reader.read()
  const end = open.type === 'open-quote' ? 'close-quote' : 'close-heredoc'
  const parts = reader.withNewlines(true, () => parseTemplateParts(reader, end, open.text.startsWith('<<-')))
  return templateOf(parts, between(open, reader.previous))
}

function parseUnary(reader: TokenReader, operator: '-' | '!'): Expression {
  const symbol = reader.read()
  const operand = reader.nested(() => parseOperand(reader))
  return { kind: 'unary', operator, operand, range: between(symbol, operand.range), symbolRange: symbol }
}
