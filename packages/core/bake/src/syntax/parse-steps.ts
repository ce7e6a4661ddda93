import type { Value } from '../values/value.ts'
import { stringValue } from '../values/value.ts'
import { refuse } from './diagnostic.ts'
import type { Expression, SplatItem, Step } from './nodes.ts'
import { numberLiteral, parseExpression } from './parse-expression.ts'
import { between, type Range } from './source.ts'
import type { TokenReader } from './token-reader.ts'
import type { Token } from './tokens.ts'

/** What follows a term: `.name`, `.0`, `.*`, `[key]`, `[*]`. */
export function parseSteps(reader: TokenReader, from: Expression): Expression {
  let node = from
  for (;;) {
    const { type } = reader.peek()
    if (type === '.') node = parseDot(reader, node, from.range)
    else if (type === '[') node = parseBracket(reader, node, from.range)
    else return node
  }
}

/** A step onto what is already a walk makes it longer. */
function withStep(node: Expression, step: Step): Expression {
  const range = between(node.range, step.range)
  if (node.kind === 'reference' || node.kind === 'traversal') return { ...node, steps: [...node.steps, step], range }
  return { kind: 'traversal', source: node, steps: [step], range }
}

function parseDot(reader: TokenReader, node: Expression, from: Range): Expression {
  const dot = reader.read()
  if (reader.peek().type === '*') return parseAttributeSplat(reader, node, { dot, from })
  const step = parseAttributeStep(reader, dot, '')
  if (step === undefined) {
    refuse('Invalid attribute name', 'An attribute name is required after a dot.', reader.peek())
  }
  return withStep(node, step)
}

/** The name or the number after a dot. */
function parseAttributeStep(reader: TokenReader, dot: Token, hint: string): Step | undefined {
  const name = reader.take('identifier')
  if (name !== undefined) return { kind: 'attribute', name: name.text, range: between(dot, name) }
  const number = reader.take('number')
  if (number === undefined) return undefined
  const [first, second] = number.text.split('.')
  if (second !== undefined) {
    const detail = `When using the legacy index syntax, chaining two indexes together is not permitted. Use the proper index syntax${hint} instead, like [${first}][${second}].`
    refuse('Invalid legacy index syntax', detail, number)
  }
  return { kind: 'index', key: numberLiteral(number).value, range: between(dot, number) }
}

/** `source.*.name`: only names and numbers belong to what is done for each element. */
function parseAttributeSplat(
  reader: TokenReader,
  source: Expression,
  { dot, from }: { dot: Token; from: Range },
): Expression {
  const star = reader.read()
  const item: SplatItem = { kind: 'splat-item', range: between(dot, star) }
  const steps: Step[] = []
  while (reader.peek().type === '.') {
    const inner = reader.read()
    const step = parseAttributeStep(reader, inner, ' with a full splat expression [*]')
    if (step === undefined) {
      if (reader.peek().type === '*') {
        const detail = 'A splat expression (*) cannot be used inside another attribute-only splat expression.'
        refuse('Nested splat expression not allowed', detail, reader.peek())
      }
      refuse('Invalid attribute name', 'An attribute name is required after a dot.', star)
    }
    steps.push(step)
  }
  const last = reader.previous
  const each: Expression =
    steps.length === 0 ? item : { kind: 'traversal', source: item, steps, range: between(steps[0]!.range, last) }
  return { kind: 'splat', source, each, item, range: between(from, last), markerRange: item.range }
}

function parseBracket(reader: TokenReader, node: Expression, from: Range): Expression {
  const open = reader.read()
  if (reader.peek().type === '*') return parseFullSplat(reader, node, { open, from })
  return reader.withNewlines(false, () => {
    const key = parseExpression(reader)
    const close = reader.read()
    if (close.type !== ']') {
      refuse('Missing close bracket on index', 'The index operator must end with a closing bracket ("]").', close)
    }
    const bracketRange = between(open, close)
    const constant = constantKey(key)
    if (constant !== undefined) return withStep(node, { kind: 'index', key: constant, range: bracketRange })
    const range = between(from, close)
    return { kind: 'index', collection: node, key, range, openRange: open, bracketRange }
  })
}

function constantKey(key: Expression): Value | undefined {
  if (key.kind === 'literal') return key.value
  if (key.kind !== 'template' || key.parts.length !== 1) return undefined
  const [part] = key.parts
  return part!.kind === 'literal' ? stringValue(String(part!.value.data)) : undefined
}

function parseFullSplat(
  reader: TokenReader,
  source: Expression,
  { open, from }: { open: Token; from: Range },
): Expression {
  reader.read()
  const close = reader.read()
  if (close.type !== ']') {
    const detail = 'The star for a full splat operator must be immediately followed by a closing bracket ("]").'
    refuse('Missing close bracket on splat index', detail, close)
  }
  const item: SplatItem = { kind: 'splat-item', range: between(open, close) }
  const each = reader.nested(() => parseSteps(reader, item))
  return { kind: 'splat', source, each, item, range: between(from, each.range), markerRange: item.range }
}
