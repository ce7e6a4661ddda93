import { refuse } from './diagnostic.ts'
import type { Attribute, Block, Body } from './nodes.ts'
import { parseExpression } from './parse-expression.ts'
import { parseTemplateParts, templateOf } from './parse-template.ts'
import { scanFile, scanTemplate } from './scan.ts'
import { between, describeRange, type Range, type SourceFile } from './source.ts'
import { decodeEscapes } from './string-literal.ts'
import { TokenReader } from './token-reader.ts'
import type { Token } from './tokens.ts'

const unclosed =
  'There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file.'
const required = 'An argument or block definition is required here.'
const introduced = `${required} To set an argument, use the equals sign "=" to introduce the argument value.`

/** A file in HCL's native syntax. Throws BakeFileError at the first thing that is wrong. */
export function parseFile(file: SourceFile): Body {
  return parseBody(new TokenReader(scanFile(file)), 'end')
}

/** A text that is a template as a whole. */
export function parseTemplateFile(file: SourceFile): ReturnType<typeof templateOf> {
  const reader = new TokenReader(scanTemplate(file))
  return templateOf(parseTemplateParts(reader, 'end'), { file, start: 0, end: file.text.length })
}

function parseBody(reader: TokenReader, end: 'end' | '}'): Body {
  const opening = reader.previous
  const attributes: Attribute[] = []
  const blocks: Block[] = []
  for (;;) {
    const next = reader.peek()
    if (next.type === end) break
    if (reader.take('newline') !== undefined) continue
    if (next.type !== 'identifier') refuseItem(next, opening)
    const item = parseItem(reader)
    if ('labels' in item) blocks.push(item)
    else attributes.push(unlessSet(item, attributes))
  }
  reader.read()
  return { syntax: 'hcl', attributes, blocks, missingRange: { ...opening, end: opening.start } }
}

function refuseItem(found: Token, opening: Token): never {
  if (found.type === 'open-quote') refuse('Invalid argument name', 'Argument names must not be quoted.', found)
  if (found.type === 'end') refuse('Unclosed configuration block', unclosed, opening)
  refuse('Argument or block definition required', required, found)
}

function unlessSet(attribute: Attribute, before: readonly Attribute[]): Attribute {
  const { name, nameRange } = attribute
  const existing = before.find((one) => one.name === name)
  if (existing === undefined) return attribute
  const place = describeRange(existing.nameRange)
  refuse(
    'Attribute redefined',
    `The argument "${name}" was already set at ${place}. Each argument may be set only once.`,
    nameRange,
  )
}

function parseItem(reader: TokenReader): Attribute | Block {
  const name = reader.read()
  const { type } = reader.peek()
  if (type === '=') return parseAttribute(reader, name, false)
  if (type === 'open-quote' || type === '{' || type === 'identifier') return parseBlock(reader, name)
  refuse('Argument or block definition required', introduced, name)
}

function parseAttribute(reader: TokenReader, name: Token, isOnBlockLine: boolean): Attribute {
  reader.read()
  const expression = parseExpression(reader)
  const attribute = { name: name.text, expression, range: between(name, reader.previous), nameRange: name }
  if (isOnBlockLine) return attribute
  const end = reader.peek()
  if (end.type !== 'newline' && end.type !== 'end') {
    const detail = 'An argument definition must end with a newline.'
    if (end.type === ',') {
      const hint = 'Argument definitions must be separated by newlines, not commas.'
      refuse('Unexpected comma after argument', `${hint} ${detail}`, end)
    }
    refuse('Missing newline after argument', detail, end)
  }
  reader.read()
  return attribute
}

function parseBlock(reader: TokenReader, type: Token): Block {
  const labels: string[] = []
  const labelRanges: Range[] = []
  while (reader.peek().type !== '{') {
    const label = parseLabel(reader)
    labels.push(label.text)
    labelRanges.push(label.range)
  }
  const open = reader.read()
  const body = reader.nested(() => parseBlockBody(reader, open))
  const end = reader.peek()
  if (end.type !== 'newline' && end.type !== 'end') {
    refuse('Missing newline after block definition', 'A block definition must end with a newline.', end)
  }
  reader.read()
  return { type: type.text, labels, labelRanges, typeRange: type, openRange: open, body }
}

function parseLabel(reader: TokenReader): { text: string; range: Range } {
  const token = reader.peek()
  if (token.type === 'identifier') return { text: reader.read().text, range: token }
  if (token.type === 'open-quote') return parseQuotedLabel(reader)
  const summary = 'Invalid block definition'
  if (token.type === '=') {
    const detail = 'The equals sign "=" indicates an argument definition, and must not be used when defining a block.'
    refuse(summary, detail, token)
  }
  if (token.type === 'newline') {
    const detail =
      'A block definition must have block content delimited by "{" and "}", starting on the same line as the block header.'
    refuse(summary, detail, token)
  }
  refuse(summary, 'Either a quoted string block label or an opening brace ("{") is expected here.', token)
}

function parseQuotedLabel(reader: TokenReader): { text: string; range: Range } {
  const open = reader.read()
  let text = ''
  for (;;) {
    const token = reader.read()
    if (token.type === 'close-quote') return { text, range: between(open, token) }
    if (token.type === 'quoted') text += decodeEscapes(token)
    else if (token.type === 'end') {
      refuse('Unterminated string literal', 'Unable to find the closing quote mark before the end of the file.', token)
    } else {
      const sign = token.type === 'directive' ? '%' : '$'
      const detail = `Template sequences are not allowed in this string. To include a literal "${sign}", double it (as "${sign}${sign}") to escape it.`
      refuse('Invalid string literal', detail, token)
    }
  }
}

function parseBlockBody(reader: TokenReader, open: Token): Body {
  const { type } = reader.peek()
  if (type === 'newline' || type === 'end' || type === '}') return parseBody(reader, '}')
  const attribute = parseOnlyAttribute(reader)
  const end = reader.peek()
  if (end.type === '}') reader.read()
  else refuseEndOfLine(end, open)
  const start = attribute.range
  return { syntax: 'hcl', attributes: [attribute], blocks: [], missingRange: { ...start, end: start.start } }
}

/** The one argument of a block that is on one line. */
function parseOnlyAttribute(reader: TokenReader): Attribute {
  const name = reader.read()
  const next = reader.peek()
  if (name.type !== 'identifier') refuse('Argument or block definition required', required, name)
  if (next.type === '=') return parseAttribute(reader, name, true)
  if (next.type === 'open-quote' || next.type === '{' || next.type === 'identifier') {
    const detail = `A single-line block definition can contain only a single argument. If you meant to define argument "${name.text}", use an equals sign to assign it a value. To define a nested block, place it on a line of its own within its parent block.`
    refuse('Argument definition required', detail, between(name, next))
  }
  refuse('Argument or block definition required', introduced, name)
}

function refuseEndOfLine(end: Token, open: Token): never {
  const summary = 'Invalid single-argument block definition'
  switch (end.type) {
    case ',':
      return refuse(
        summary,
        'Single-line block syntax can include only one argument definition. To define multiple arguments, use the multi-line block syntax with one argument definition per line.',
        end,
      )
    case 'newline':
      return refuse(
        summary,
        "An argument definition on the same line as its containing block creates a single-line block definition, which must also be closed on the same line. Place the block's closing brace immediately after the argument definition.",
        end,
      )
    case 'end':
      return refuse('Unclosed configuration block', unclosed, open)
    default:
      return refuse(
        summary,
        'A single-line block definition must end with a closing brace immediately after its single argument definition.',
        end,
      )
  }
}
