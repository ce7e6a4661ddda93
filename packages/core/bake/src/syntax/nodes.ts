import type { Value } from '../values/value.ts'
import type { Range } from './source.ts'

/** `.name`, or `[key]` with a constant key. */
export type Step =
  | { readonly kind: 'attribute'; readonly name: string; readonly range: Range }
  | { readonly kind: 'index'; readonly key: Value; readonly range: Range }

export type BinaryOperator = '||' | '&&' | '==' | '!=' | '>' | '>=' | '<' | '<=' | '+' | '-' | '*' | '/' | '%'

interface Node<Kind extends string> {
  readonly kind: Kind
  readonly range: Range
}

export interface Literal extends Node<'literal'> {
  readonly value: Value
}
/** A variable, and the steps into it. */
export interface Reference extends Node<'reference'> {
  readonly root: string
  readonly rootRange: Range
  readonly steps: readonly Step[]
}
export interface Traversal extends Node<'traversal'> {
  readonly source: Expression
  readonly steps: readonly Step[]
}
export interface Index extends Node<'index'> {
  readonly collection: Expression
  readonly key: Expression
  readonly openRange: Range
  readonly bracketRange: Range
}
/** `source[*].each`: `each` is evaluated for every element, which `item` stands for. */
export interface Splat extends Node<'splat'> {
  readonly source: Expression
  readonly each: Expression
  readonly item: SplatItem
  readonly markerRange: Range
}
export type SplatItem = Node<'splat-item'>
export interface Call extends Node<'call'> {
  readonly name: string
  readonly args: readonly Expression[]
  /** The last argument is a list of arguments. */
  readonly expandsLast: boolean
  readonly nameRange: Range
  readonly openRange: Range
  readonly closeRange: Range
}
export interface Conditional extends Node<'conditional'> {
  readonly condition: Expression
  readonly whenTrue: Expression
  readonly whenFalse: Expression
}
export interface Binary extends Node<'binary'> {
  readonly operator: BinaryOperator
  readonly left: Expression
  readonly right: Expression
}
export interface Unary extends Node<'unary'> {
  readonly operator: '-' | '!'
  readonly operand: Expression
  readonly symbolRange: Range
}
export interface Tuple extends Node<'tuple'> {
  readonly items: readonly Expression[]
  readonly openRange: Range
}
export interface ObjectItem {
  readonly key: Expression
  readonly value: Expression
}
export interface ObjectLiteral extends Node<'object'> {
  readonly items: readonly ObjectItem[]
  readonly openRange: Range
}
/** A key in an object: a bare name is meant as text, unless it is in parentheses. */
export interface ObjectKey extends Node<'object-key'> {
  readonly wrapped: Expression
  readonly isForced: boolean
}
export interface For extends Node<'for'> {
  readonly keyName: string | undefined
  readonly valueName: string
  readonly collection: Expression
  /** Undefined for a tuple. */
  readonly key: Expression | undefined
  readonly value: Expression
  readonly condition: Expression | undefined
  readonly isGrouped: boolean
  readonly openRange: Range
}
export interface Template extends Node<'template'> {
  readonly parts: readonly Expression[]
}
/** What a `for` directive gives, as one text. */
export interface TemplateJoin extends Node<'template-join'> {
  readonly tuple: Expression
}
/** A template of nothing but one interpolation: its value as it is. */
export interface TemplateWrap extends Node<'template-wrap'> {
  readonly wrapped: Expression
}
export interface Parentheses extends Node<'parentheses'> {
  readonly inner: Expression
}
/** A string of a JSON file: a template that is parsed when it is used. */
export interface Deferred extends Node<'deferred'> {
  readonly text: string
  parse(): Expression
}
export interface JsonObject extends Node<'json-object'> {
  readonly items: readonly ObjectItem[]
}

export type Expression =
  | Literal
  | Reference
  | Traversal
  | Index
  | Splat
  | SplatItem
  | Call
  | Conditional
  | Binary
  | Unary
  | Tuple
  | ObjectLiteral
  | ObjectKey
  | For
  | Template
  | TemplateJoin
  | TemplateWrap
  | Parentheses
  | Deferred
  | JsonObject

export interface Attribute {
  readonly name: string
  readonly expression: Expression
  readonly range: Range
  readonly nameRange: Range
}

export interface Block {
  readonly type: string
  readonly labels: readonly string[]
  readonly labelRanges: readonly Range[]
  readonly typeRange: Range
  readonly openRange: Range
  readonly body: Body
}

/** What is between braces, or a whole file. */
export interface Body {
  readonly syntax: 'hcl' | 'json'
  readonly attributes: readonly Attribute[]
  readonly blocks: readonly Block[]
  /** Where what is missing would be told. */
  readonly missingRange: Range
}

/** Where an expression begins, as HCL marks it in its messages. */
export function startRange(node: Expression): Range {
  switch (node.kind) {
    case 'call':
      return { ...node.nameRange, end: node.openRange.end }
    case 'conditional':
      return startRange(node.condition)
    case 'index':
    case 'tuple':
    case 'object':
    case 'for':
      return node.openRange
    case 'splat':
      return node.markerRange
    case 'binary':
      return startRange(node.left)
    case 'unary':
      return node.symbolRange
    case 'template':
      return startRange(node.parts[0]!)
    case 'template-join':
      return startRange(node.tuple)
    case 'object-key':
      return startRange(node.wrapped)
    case 'parentheses':
      return startRange(node.inner)
    default:
      return node.range
  }
}

/** The bare word that an expression is, if it is one. */
export function keywordOf(node: Expression): string | undefined {
  if (node.kind === 'reference') return node.steps.length === 0 ? node.root : undefined
  if (node.kind === 'object-key') return node.isForced ? undefined : keywordOf(node.wrapped)
  if (node.kind !== 'literal') return undefined
  if (node.value.data === null) return 'null'
  return typeof node.value.data === 'boolean' ? String(node.value.data) : undefined
}
