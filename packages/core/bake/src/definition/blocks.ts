import { evaluate } from '../evaluate/evaluate.ts'
import type { Scope } from '../evaluate/scope.ts'
import { BakeFileError, type Diagnostic, refuseIfAny } from '../syntax/diagnostic.ts'
import type { Attribute, Block, Step } from '../syntax/nodes.ts'
import { convert } from '../values/convert.ts'
import { string } from '../values/types.ts'
import { entriesOf, objectValue, stringValue, textOf, type Value, mapValue } from '../values/value.ts'
import { canIterate, elementsOf, listValue } from '../values/value.ts'
import { decodeAttribute } from './decode.ts'
import type { Resolver } from './resolver.ts'
import { asFileError, wrap } from './resolver.ts'
import { checkBody } from './schema.ts'
import { attributeKinds, attributeNames, type Group, type TargetFields } from './target.ts'
import { targetValue } from './target-value.ts'

/** One of the targets that a block stands for: several when it has a matrix. */
interface Output {
  readonly scope: Scope
  name: string
  readonly fields: Record<string, unknown>
  readonly done: Set<string>
  readonly open: Set<string>
}

const validName = /^[a-zA-Z0-9_-]+$/
const greatestMatrix = 10_000

/** What bake does not know in a target or a group is let be, as in buildx. */
const schemas = {
  target: { attributes: attributeNames, isOpen: true },
  group: { attributes: ['targets'], required: ['targets'], isOpen: true },
} as const

/** Evaluates the blocks of targets and groups, as a whole or only what others refer to. */
export class BlockEvaluator {
  readonly #resolver: Resolver
  readonly #outputs = new Map<Block, Output[]>()
  readonly #byName = new Map<string, Block[]>()

  constructor(resolver: Resolver) {
    this.#resolver = resolver
  }

  /** Gives the blocks their names; from then on they can be referred to. */
  nameAll(blocks: readonly Block[]): void {
    for (const block of blocks) {
      if (block.labels.length !== 1) {
        const detail = `invalid block label: [${block.labels.join(' ')}]`
        throw new BakeFileError([
          { summary: 'Invalid block', detail, subject: block.labelRanges[0] ?? block.typeRange },
        ])
      }
      wrap('Invalid name', block.labelRanges[0]!, () => this.#name(block))
    }
    const { variables } = this.#resolver.scope
    for (const { type } of blocks) if (!variables.has(type)) variables.set(type, mapValue(string, []))
    this.#resolver.blocks = {
      types: new Set(['target', 'group']),
      load: (type, steps) => this.#loadReferred(type, steps),
    }
  }

  #name(block: Block): void {
    const outputs = this.#scopesOf(block).map((scope): Output => ({
      scope,
      name: this.#nameIn(block, scope),
      fields: {},
      done: new Set(),
      open: new Set(),
    }))
    for (const [index, { name }] of outputs.entries()) {
      if (outputs.findIndex((one) => one.name === name) !== index) throw new Error(`duplicate name "${name}"`)
      const key = `${block.type}.${name}`
      this.#byName.set(key, [...(this.#byName.get(key) ?? []), block])
    }
    this.#outputs.set(block, outputs)
  }

  #scopesOf(block: Block): Scope[] {
    const { scope } = this.#resolver
    const matrix = block.body.attributes.find(({ name }) => name === 'matrix')
    if (matrix === undefined) return [scope]
    if (block.type === 'group') throw new Error('matrix is not supported for groups')
    const value = this.#value(matrix, scope)
    if (value.type.kind !== 'object' && value.type.kind !== 'map') throw new Error('matrix must be a map')
    return combinations(entriesOf(value)).map((row) => scope.child(row))
  }

  #value({ expression }: Attribute, scope: Scope): Value {
    this.#resolver.load(expression, scope)
    const problems: Diagnostic[] = []
    const value = evaluate(expression, { scope, problems })
    refuseIfAny(problems)
    return value
  }

  #nameIn(block: Block, scope: Scope): string {
    const label = requireName(block.labels[0]!)
    const attribute = block.body.attributes.find(({ name }) => name === 'name')
    if (attribute === undefined) return label
    if (block.type === 'group') throw new Error('name is not supported for groups')
    if (!block.body.attributes.some(({ name }) => name === 'matrix')) throw new Error('name requires matrix')
    return requireName(textOf(convert(this.#value(attribute, scope), string)))
  }

  /** `target.app.tags`: only that attribute is evaluated. */
  #loadReferred(type: string, [first, second]: readonly Step[]): void {
    if (first === undefined) throw new Error(`cannot access ${type} as a variable`)
    if (first.kind !== 'attribute') throw new Error(`cannot traverse ${type} without attribute`)
    for (const block of this.#byName.get(`${type}.${first.name}`) ?? []) {
      this.#evaluate(block, second?.kind === 'attribute' ? second.name : undefined)
    }
  }

  /** Evaluates all of a block: what it defines. */
  evaluate(block: Block): {
    names: readonly string[]
    targets: { name: string; fields: TargetFields }[]
    group?: Group
  } {
    try {
      this.#evaluate(block)
    } catch (error) {
      throw asFileError(error, 'Invalid block', block.labelRanges[0]!)
    }
    const outputs = this.#outputs.get(block)!
    const names = outputs.map(({ name }) => name)
    if (block.type === 'target') return { names, targets: outputs.map(({ name, fields }) => ({ name, fields })) }
    const { description, targets } = outputs[0]!.fields as { description?: string; targets?: string[] }
    return { names, targets: [], group: { name: names[0]!, description, targets: targets ?? [] } }
  }

  #evaluate(block: Block, only?: string): void {
    for (const output of this.#outputs.get(block)!) {
      if (only !== undefined && output.done.has(only)) return
      if (only !== undefined && output.open.has(only)) {
        throw new Error(`reference cycle not allowed for ${block.type}.${output.name}.${only}`)
      }
      if (only !== undefined) output.open.add(only)
      this.#evaluateOutput(block, output, only)
      if (only !== undefined) output.done.add(only)
    }
  }

  #evaluateOutput(block: Block, output: Output, only: string | undefined): void {
    const kinds: Readonly<Record<string, (typeof attributeKinds)[keyof TargetFields] | undefined>> =
      block.type === 'target' ? attributeKinds : { description: 'text', targets: 'texts' }
    const wanted = block.body.attributes.filter(({ name }) =>
      only === undefined ? !output.done.has(name) : name === only,
    )
    const known = wanted.filter(({ name }) => kinds[name] !== undefined)
    for (const { expression } of known) this.#resolver.load(expression, output.scope)
    if (only === undefined) checkBody(block.body, schemas[block.type as 'target' | 'group'])
    const problems: Diagnostic[] = []
    for (const attribute of known) {
      try {
        const value = decodeAttribute(attribute, kinds[attribute.name]!, output.scope)
        if (value !== undefined) output.fields[attribute.name] = value
      } catch (error) {
        if (!(error instanceof BakeFileError)) throw error
        problems.push(...error.diagnostics)
      }
    }
    refuseIfAny(problems)
    for (const { name } of known) output.done.add(name)
    this.#publish(block, output)
  }

  /** Makes what was evaluated visible to other expressions. */
  #publish(block: Block, { name, fields }: Output): void {
    const { variables } = this.#resolver.scope
    const before = variables.get(block.type)
    const value = block.type === 'target' ? targetValue(name, fields) : groupValue(name, fields)
    variables.set(block.type, objectValue([...(before === undefined ? [] : entriesOf(before)), [name, value]]))
  }
}

/** Every choice for one name with every choice for the others. */
function combinations(matrix: ReadonlyMap<string, Value>): [string, Value][][] {
  let rows: [string, Value][][] = [[]]
  for (const [key, choices] of matrix) {
    if (!canIterate(choices)) throw new Error('matrix values must be a list')
    const elements = elementsOf(choices)
    if (rows.length * elements.length > greatestMatrix) {
      throw new Error(`the matrix has more than ${greatestMatrix} combinations`)
    }
    rows = elements.flatMap(([, choice]) => rows.map((row): [string, Value][] => [...row, [key, choice]]))
  }
  return rows
}

function groupValue(
  name: string,
  { description = '', targets = [] }: { description?: unknown; targets?: unknown },
): Value {
  return objectValue([
    ['name', stringValue(name)],
    ['description', stringValue(description as string)],
    ['targets', listValue(string, (targets as string[]).map(stringValue))],
  ])
}

function requireName(name: string): string {
  if (validName.test(name)) return name
  throw new Error('only "[a-zA-Z0-9_-]+" are allowed')
}
