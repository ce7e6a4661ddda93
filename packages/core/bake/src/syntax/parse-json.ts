import { parseNumber } from '../values/decimal.ts'
import { dynamic } from '../values/types.ts'
import { booleanValue, nullOf, numberValue } from '../values/value.ts'
import { refuse } from './diagnostic.ts'
import type { Attribute, Block, Body, Expression } from './nodes.ts'
import { parseTemplateFile } from './parse-file.ts'
import { positionAt, type Range, type SourceFile } from './source.ts'

/** A JSON value and where it stands. */
type JsonNode =
  | { readonly kind: 'scalar'; readonly value: null | boolean | { readonly number: string }; readonly range: Range }
  | { readonly kind: 'string'; readonly text: string; readonly range: Range }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[]; readonly range: Range }
  | { readonly kind: 'object'; readonly members: readonly Member[]; readonly range: Range }

interface Member {
  readonly name: string
  readonly nameRange: Range
  readonly value: JsonNode
}

/** Which properties are blocks: by name, how many labels those have. */
export type JsonBlocks = Readonly<Record<string, 0 | 1>>

const greatestDepth = 200

/** A file in HCL's JSON syntax; `nested` are the blocks within blocks. Throws BakeFileError. */
export function parseJsonFile(file: SourceFile, blocks: JsonBlocks, nested: JsonBlocks): Body {
  const reader = new JsonReader(file)
  const root = reader.readAll()
  if (root.kind !== 'object') {
    refuse(
      'Root value must be object',
      'The root value in a JSON-based configuration must be either a JSON object or a JSON array of objects.',
      root.range,
    )
  }
  return bodyOf(root, blocks, nested)
}

function bodyOf(node: JsonNode, blocks: JsonBlocks, nested: JsonBlocks): Body {
  const attributes: Attribute[] = []
  const found: Block[] = []
  for (const member of membersOf(node)) {
    const labels = blocks[member.name]
    if (labels !== undefined) found.push(...blocksOf(member, labels, nested))
    else if (member.name !== '//') attributes.push(attributeOf(member))
  }
  const { range } = node
  return { syntax: 'json', attributes, blocks: found, missingRange: { ...range, start: range.end - 1 } }
}

/** The members of an object, or of the objects in an array. */
function membersOf(node: JsonNode): readonly Member[] {
  if (node.kind === 'object') return node.members
  if (node.kind === 'array') return node.items.flatMap(membersOf)
  if (node.kind === 'scalar' && node.value === null) return []
  refuse(
    'Incorrect JSON value type',
    'Either a JSON object or JSON array of objects is required here, to define arguments and child blocks.',
    startOf(node),
  )
}

const startOf = ({ kind, range }: JsonNode): Range =>
  kind === 'array' || kind === 'object' ? { ...range, end: range.start + 1 } : range

function attributeOf({ name, nameRange, value }: Member): Attribute {
  return { name, expression: expressionOf(value), range: { ...nameRange, end: value.range.end }, nameRange }
}

function blocksOf({ name, nameRange, value }: Member, labels: 0 | 1, nested: JsonBlocks): Block[] {
  if (labels === 1) {
    return membersOf(value).flatMap((inner) =>
      bodiesOf(inner.value, name).map((body) => blockOf(body, name, nameRange, nested, inner)),
    )
  }
  return bodiesOf(value, name).map((body) => blockOf(body, name, nameRange, nested))
}

function bodiesOf(node: JsonNode, type: string): readonly JsonNode[] {
  if (node.kind === 'object') return [node]
  if (node.kind === 'array') return node.items
  if (node.kind === 'scalar' && node.value === null) return []
  const detail = `Either a JSON object or a JSON array is required, representing the contents of one or more "${type}" blocks.`
  refuse('Incorrect JSON value type', detail, node.range)
}

function blockOf(body: JsonNode, type: string, typeRange: Range, nested: JsonBlocks, label?: Member): Block {
  return {
    type,
    labels: label === undefined ? [] : [label.name],
    labelRanges: label === undefined ? [] : [label.nameRange],
    typeRange,
    openRange: startOf(body),
    body: bodyOf(body, type === 'variable' ? nested : {}, {}),
  }
}

function expressionOf(node: JsonNode): Expression {
  const { range } = node
  switch (node.kind) {
    case 'scalar':
      return { kind: 'literal', value: scalarOf(node.value, range), range }
    case 'string':
      return templateFrom(node.text, range)
    case 'array':
      return { kind: 'tuple', items: node.items.map(expressionOf), range, openRange: startOf(node) }
    case 'object': {
      const items = node.members.map(({ name, nameRange, value }) => ({
        key: templateFrom(name, nameRange),
        value: expressionOf(value),
      }))
      return { kind: 'json-object', items, range }
    }
  }
}

function scalarOf(value: null | boolean | { readonly number: string }, range: Range) {
  if (value === null) return nullOf(dynamic)
  if (typeof value === 'boolean') return booleanValue(value)
  const number = parseNumber(value.number)
  if (number === undefined) refuse('Invalid JSON number', 'This number is out of range.', range)
  return numberValue(number)
}

/** A string is a template: of it are told places as if it had no escapes. */
function templateFrom(text: string, range: Range): Expression {
  const { line, column } = positionAt(range.file, range.start)
  const file: SourceFile = { name: range.file.name, text, origin: { line, column: column + 1 } }
  return { kind: 'deferred', text, parse: () => parseTemplateFile(file), range }
}

const token =
  /\s*(?:([{}[\],:])|("(?:[^"\\]|\\[\s\S])*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])|(true|false|null)\b)/y

class JsonReader {
  readonly #file: SourceFile
  #at = 0
  #depth = 0

  constructor(file: SourceFile) {
    this.#file = file
  }

  readAll(): JsonNode {
    const node = this.#readValue()
    if (this.#file.text.slice(this.#at).trim() !== '') {
      refuse('Extraneous data after value', 'Extra characters appear after the JSON value.', this.#here())
    }
    return node
  }

  #here(): Range {
    const skipped = /^\s*/.exec(this.#file.text.slice(this.#at))![0].length
    const start = this.#at + skipped
    return { file: this.#file, start, end: Math.min(start + 1, this.#file.text.length) }
  }

  #next(): { text: string; range: Range } {
    token.lastIndex = this.#at
    const match = token.exec(this.#file.text)
    if (match === null) {
      const isEnd = this.#file.text.slice(this.#at).trim() === ''
      if (isEnd) refuse('Unexpected end of file', 'The JSON text ends where a value is expected.', this.#here())
      refuse('Invalid JSON', 'A JSON value, a comma, or a closing bracket is expected here.', this.#here())
    }
    const text = match[1] ?? match[2] ?? match[3] ?? match[4]!
    this.#at = token.lastIndex
    return { text, range: { file: this.#file, start: this.#at - text.length, end: this.#at } }
  }

  #readValue(): JsonNode {
    const { text, range } = this.#next()
    if (text === '{') return this.#deeper(range, () => this.#readObject(range))
    if (text === '[') return this.#deeper(range, () => this.#readArray(range))
    if (text.startsWith('"')) return { kind: 'string', text: unquote(text, range), range }
    if (text === 'true' || text === 'false') return { kind: 'scalar', value: text === 'true', range }
    if (text === 'null') return { kind: 'scalar', value: null, range }
    if (/^[-\d]/.test(text)) return { kind: 'scalar', value: { number: text }, range }
    refuse('Invalid JSON', `A value is expected here, not "${text}".`, range)
  }

  #deeper(range: Range, read: () => JsonNode): JsonNode {
    if (this.#depth++ === greatestDepth) {
      refuse('Too deeply nested', `JSON may be nested ${greatestDepth} levels deep.`, range)
    }
    const node = read()
    this.#depth--
    return node
  }

  /** Whether the collection goes on; reads the comma or the closing bracket. */
  #continues(close: string): boolean {
    const { text, range } = this.#next()
    if (text !== ',' && text !== close) refuse('Invalid JSON', `A comma or "${close}" is expected here.`, range)
    return text === ','
  }

  #take(close: string): boolean {
    token.lastIndex = this.#at
    const match = token.exec(this.#file.text)
    if (match?.[1] !== close) return false
    this.#at = token.lastIndex
    return true
  }

  #readObject(open: Range): JsonNode {
    const members: Member[] = []
    if (!this.#take('}')) {
      do {
        const { text, range } = this.#next()
        if (!text.startsWith('"'))
          refuse('Invalid object property name', 'A JSON object property name must be a quoted string.', range)
        const colon = this.#next()
        if (colon.text !== ':')
          refuse('Missing property value colon', 'A colon must follow the name of a property.', colon.range)
        members.push({ name: unquote(text, range), nameRange: range, value: this.#readValue() })
      } while (this.#continues('}'))
    }
    return { kind: 'object', members, range: { ...open, end: this.#at } }
  }

  #readArray(open: Range): JsonNode {
    const items: JsonNode[] = []
    if (!this.#take(']'))
      do items.push(this.#readValue())
      while (this.#continues(']'))
    return { kind: 'array', items, range: { ...open, end: this.#at } }
  }
}

function unquote(text: string, range: Range): string {
  try {
    return JSON.parse(text) as string
  } catch {
    refuse('Invalid JSON string', 'This is not a valid JSON string.', range)
  }
}
