import { stringValue } from '../values/value.ts'
import { refuse } from './diagnostic.ts'
import type { Expression, Literal } from './nodes.ts'
import { buildTemplate } from './build-template.ts'
import { parseExpression } from './parse-expression.ts'
import { parseForNames } from './parse-for.ts'
import { between, type Range } from './source.ts'
import { decodeEscapes } from './string-literal.ts'
import type { TokenReader } from './token-reader.ts'
import type { Token } from './tokens.ts'
import { suggest } from './suggest.ts'
import { trimFlush } from './trim-flush.ts'

/** What a template is made of, before its directives are matched. */
export type TemplatePart =
  | { readonly kind: 'text'; text: string; range: Range }
  | { readonly kind: 'value'; readonly expression: Expression; readonly range: Range }
  | { readonly kind: 'if'; readonly condition: Expression; readonly range: Range }
  | {
      readonly kind: 'for'
      readonly keyName: string | undefined
      readonly valueName: string
      readonly collection: Expression
      readonly range: Range
    }
  | { readonly kind: 'else' | 'endif' | 'endfor' | 'end'; readonly range: Range }

type TemplateEnd = 'close-quote' | 'close-heredoc' | 'end'

/** The parts of a template, up to and with its end; the last part is `end`. */
export function parseTemplateParts(reader: TokenReader, end: TemplateEnd, isFlush = false): TemplatePart[] {
  const parts: TemplatePart[] = []
  const start = reader.peek()
  let trimsNext = false
  for (;;) {
    const token = reader.read()
    if (token.type === end) {
      if (parts.length === 0) parts.push({ kind: 'text', text: '', range: { ...start, end: start.start } })
      parts.push({ kind: 'end', range: token })
      if (isFlush) trimFlush(parts)
      return parts
    }
    if (token.type === 'quoted' || token.type === 'text') {
      const text = decodeEscapes(token)
      parts.push({ kind: 'text', text: trimsNext ? text.trimStart() : text, range: token })
      trimsNext = false
      continue
    }
    if (token.type !== 'interpolation' && token.type !== 'directive') {
      refuse('Unterminated template string', 'No closing marker was found for the string.', token)
    }
    if (token.text.endsWith('~')) trimEnd(parts.at(-1))
    const place = { reader, opening: token, start, end }
    parts.push(
      reader.withNewlines(false, () =>
        token.type === 'interpolation' ? parseInterpolation(place) : parseDirective(place),
      ),
    )
    trimsNext = reader.previous.text === '~}'
  }
}

function trimEnd(part: TemplatePart | undefined): void {
  if (part?.kind === 'text') part.text = part.text.trimEnd()
}

interface Place {
  readonly reader: TokenReader
  /** `${` or `%{`. */
  readonly opening: Token
  /** Where the template's content begins. */
  readonly start: Token
  readonly end: TemplateEnd
}

function parseInterpolation({ reader, opening, start, end }: Place): TemplatePart {
  const expression = parseExpression(reader)
  const close = reader.peek()
  if (close.type !== 'sequence-end') refuseInterpolation(close, start, end)
  return { kind: 'value', expression, range: between(opening, reader.read()) }
}

function refuseInterpolation(found: Token, start: Token, end: TemplateEnd): never {
  const unclosed = 'Unclosed template interpolation sequence'
  const extra = 'Extra characters after interpolation expression'
  const until = (what: string): string =>
    `There is no closing brace for this interpolation sequence before the end of the ${what}. This might be caused by incorrect nesting inside the given expression.`
  if (found.type === 'end') refuse(unclosed, until('file'), start)
  if (found.type === ':') {
    const detail =
      'Template interpolation doesn\'t expect a colon at this location. Did you intend this to be a literal sequence to be processed as part of another language? If so, you can escape it by starting with "$${" instead of just "${".'
    refuse(extra, detail, found)
  }
  if ((found.type === 'close-quote' || found.type === 'open-quote') && end === 'close-quote') {
    refuse(unclosed, until('quoted template'), start)
  }
  const detail =
    'Expected a closing brace to end the interpolation expression, but found extra characters.\n\nThis can happen when you include interpolation syntax for another language, such as shell scripting, but forget to escape the interpolation start token. If this is an embedded sequence for another language, escape it by starting with "$${" instead of just "${".'
  refuse(extra, detail, found)
}

const keywords = ['if', 'for', 'else', 'endif', 'endfor']

function parseDirective({ reader, opening }: Place): TemplatePart {
  const keyword = reader.peek()
  if (keyword.type !== 'identifier') {
    const detail = 'A template directive keyword ("if", "for", etc) is expected at the beginning of a %{ sequence.'
    refuse('Invalid template directive', detail, keyword)
  }
  reader.read()
  const part = parseKeyword(reader, keyword)
  const close = reader.peek()
  if (close.type !== 'sequence-end') {
    const detail = 'Expected a closing brace to end the sequence, but found extra characters.'
    refuse(`Extra characters in ${keyword.text} marker`, detail, close)
  }
  return { ...part, range: between(opening, reader.read()) } as TemplatePart
}

function parseKeyword(reader: TokenReader, keyword: Token): TemplatePart {
  const { text } = keyword
  const range = keyword
  switch (text) {
    case 'if':
      return { kind: 'if', condition: parseExpression(reader), range }
    case 'else':
    case 'endif':
    case 'endfor':
      return { kind: text, range }
    case 'for': {
      const names = parseForNames(reader, (detail, at) => refuse("Invalid 'for' directive", detail, at), {
        first: "For directive requires variable name after 'for'.",
        second: 'For directive requires value variable name after comma.',
        in: "For directive requires 'in' keyword after names.",
      })
      return { kind: 'for', ...names, collection: parseExpression(reader), range }
    }
    default:
      return refuse(
        'Invalid template control keyword',
        `"${text}" is not a valid template control keyword.${suggest(text, keywords)}`,
        keyword,
      )
  }
}

/** The expression that the parts of a template are. */
export function templateOf(parts: readonly TemplatePart[], range: Range): Expression {
  const [first] = parts
  if (parts.length === 2 && first!.kind === 'value') return { kind: 'template-wrap', wrapped: first!.expression, range }
  return { kind: 'template', parts: buildTemplate(parts), range }
}

export const textLiteral = (text: string, range: Range): Literal => ({
  kind: 'literal',
  value: stringValue(text),
  range,
})
