import type { Expression, Step } from './nodes.ts'
import { BakeFileError } from './diagnostic.ts'
import { keywordOf } from './nodes.ts'

/** A variable that an expression uses, and the steps into it. */
export interface Use {
  readonly root: string
  readonly steps: readonly Step[]
}

interface Uses {
  readonly variables: Use[]
  readonly functions: Set<string>
}

/** The variables and functions that an expression needs, but for the names that it makes itself. */
export function usesOf(node: Expression): Uses {
  const uses: Uses = { variables: [], functions: new Set() }
  collect(node, new Set(), uses)
  return uses
}

function collect(node: Expression, locals: ReadonlySet<string>, uses: Uses): void {
  switch (node.kind) {
    case 'reference':
      if (!locals.has(node.root)) uses.variables.push({ root: node.root, steps: node.steps })
      return
    case 'call':
      uses.functions.add(node.name)
      break
    case 'for':
      return collectFor(node, locals, uses)
    case 'object-key':
      if (!node.isForced && keywordOf(node.wrapped) !== undefined) return
      break
    case 'deferred':
      return collectDeferred(node, locals, uses)
  }
  for (const child of childrenOf(node)) collect(child, locals, uses)
}

function collectFor(node: Expression & { kind: 'for' }, locals: ReadonlySet<string>, uses: Uses): void {
  collect(node.collection, locals, uses)
  const inner = new Set([...locals, node.valueName, ...(node.keyName === undefined ? [] : [node.keyName])])
  for (const part of [node.key, node.value, node.condition]) if (part !== undefined) collect(part, inner, uses)
}

/** A template that cannot be parsed is told about when it is evaluated. */
function collectDeferred(node: Expression & { kind: 'deferred' }, locals: ReadonlySet<string>, uses: Uses): void {
  let parsed: Expression
  try {
    parsed = node.parse()
  } catch (error) {
    if (error instanceof BakeFileError) return
    throw error
  }
  collect(parsed, locals, uses)
}

function childrenOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'traversal':
      return [node.source]
    case 'index':
      return [node.collection, node.key]
    case 'splat':
      return [node.source, node.each]
    case 'call':
      return node.args
    case 'conditional':
      return [node.condition, node.whenTrue, node.whenFalse]
    case 'binary':
      return [node.left, node.right]
    case 'unary':
      return [node.operand]
    case 'tuple':
      return node.items
    case 'object':
    case 'json-object':
      return node.items.flatMap(({ key, value }) => [key, value])
    case 'template':
      return node.parts
    case 'template-join':
      return [node.tuple]
    case 'template-wrap':
    case 'object-key':
      return [node.wrapped]
    case 'parentheses':
      return [node.inner]
    default:
      return []
  }
}
