import { refuse } from './diagnostic.ts'
import type { Expression, Template } from './nodes.ts'
import { textLiteral, type TemplatePart } from './parse-template.ts'
import { between, describeRange, type Range } from './source.ts'

const unbalanced = 'The control directives within this template are unbalanced.'
const greatestDepth = 100

interface Parts {
  readonly all: readonly TemplatePart[]
  at: number
  depth: number
}

/** Matches the directives of a template, and joins texts that follow each other. */
export function buildTemplate(all: readonly TemplatePart[]): Expression[] {
  const parts: Parts = { all, at: 0, depth: 0 }
  const built: Expression[] = []
  while (parts.all[parts.at]!.kind !== 'end') built.push(buildPart(parts))
  return built
}

function buildPart(parts: Parts): Expression {
  const part = parts.all[parts.at++]!
  switch (part.kind) {
    case 'text':
      return buildText(parts, part)
    case 'value':
      return part.expression
    case 'if':
      return deeper(parts, part.range, () => buildIf(parts, part))
    case 'for':
      return deeper(parts, part.range, () => buildFor(parts, part))
    case 'end':
      return refuse('Unexpected end of template', unbalanced, part.range)
    default:
      return refuse(`Unexpected ${part.kind} directive`, unbalanced, part.range)
  }
}

function deeper(parts: Parts, range: Range, build: () => Expression): Expression {
  if (parts.depth++ === greatestDepth) {
    refuse('Too deeply nested', `Template directives may be nested ${greatestDepth} levels deep.`, range)
  }
  const built = build()
  parts.depth--
  return built
}

function buildText(parts: Parts, first: TemplatePart & { kind: 'text' }): Expression {
  const texts = [first.text]
  let { range } = first
  for (let next = parts.all[parts.at]!; next.kind === 'text'; next = parts.all[++parts.at]!) {
    texts.push(next.text)
    range = between(range, next.range)
  }
  return textLiteral(texts.join(''), range)
}

const templateFrom = (parts: readonly Expression[], otherwise: Range): Template => {
  const filled = parts.length > 0 ? parts : [textLiteral('', otherwise)]
  return { kind: 'template', parts: filled, range: between(filled[0]!.range, filled.at(-1)!.range) }
}

function refuseEnd({ kind, range }: TemplatePart & { kind: 'if' | 'for' }, end: TemplatePart): never {
  const detail = `The ${kind} directive at ${describeRange(range)} is missing its corresponding end${kind} directive.`
  return refuse('Unexpected end of template', detail, end.range)
}

function buildIf(parts: Parts, open: TemplatePart & { kind: 'if' }): Expression {
  const whenTrue: Expression[] = []
  const whenFalse: Expression[] = []
  let current = whenTrue
  for (;;) {
    const next = parts.all[parts.at]!
    switch (next.kind) {
      case 'end':
        return refuseEnd(open, next)
      case 'else':
        parts.at++
        if (current === whenFalse) {
          const detail = `Already in the else clause for the if started at ${describeRange(open.range)}.`
          return refuse('Unexpected else directive', detail, next.range)
        }
        current = whenFalse
        break
      case 'endif': {
        parts.at++
        const after: Range = { ...open.range, start: open.range.end }
        const before: Range = { ...next.range, end: next.range.start }
        return {
          kind: 'conditional',
          condition: open.condition,
          whenTrue: templateFrom(whenTrue, after),
          whenFalse: templateFrom(whenFalse, before),
          range: between(open.range, next.range),
        }
      }
      case 'endfor':
        return refuse(
          'Unexpected endfor directive',
          `Expecting an endif directive for the if started at ${describeRange(open.range)}.`,
          next.range,
        )
      default:
        current.push(buildPart(parts))
    }
  }
}

function buildFor(parts: Parts, open: TemplatePart & { kind: 'for' }): Expression {
  const content: Expression[] = []
  for (;;) {
    const next = parts.all[parts.at]!
    switch (next.kind) {
      case 'end':
        return refuseEnd(open, next)
      case 'else':
        return refuse('Unexpected else directive', 'An else clause is not expected for a for directive.', next.range)
      case 'endif':
        return refuse(
          'Unexpected endif directive',
          `Expecting an endfor directive corresponding to the for directive at ${describeRange(open.range)}.`,
          next.range,
        )
      case 'endfor': {
        parts.at++
        const { keyName, valueName, collection } = open
        const range = between(open.range, next.range)
        const value = templateFrom(content, { ...open.range, start: open.range.end })
        const shape = { key: undefined, condition: undefined, isGrouped: false }
        const tuple: Expression = {
          kind: 'for',
          keyName,
          valueName,
          collection,
          value,
          ...shape,
          range,
          openRange: open.range,
        }
        return { kind: 'template-join', tuple, range }
      }
      default:
        content.push(buildPart(parts))
    }
  }
}
