import { BakeFileError, type Diagnostic, refuseIfAny } from '../syntax/diagnostic.ts'
import type { Attribute, Block, Body } from '../syntax/nodes.ts'
import { describeRange } from '../syntax/source.ts'
import { typeName } from '../values/types.ts'
import { isNull, textOf, type Value } from '../values/value.ts'
import { convert } from '../values/convert.ts'
import { string, isPrimitive } from '../values/types.ts'
import { encodeJson } from '../functions/json.ts'
import { BlockEvaluator } from './blocks.ts'
import { Resolver, type Surroundings } from './resolver.ts'
import { type Definition, type Group, mergeFields, type Target, type TargetFields } from './target.ts'
import { readFunction } from './user-function.ts'
import { readVariable, validate } from './variables.ts'

/** A variable, as a list of them tells it. */
export interface ListedVariable {
  readonly name: string
  readonly type?: string
  readonly description?: string
  /** Missing when it is null. */
  readonly value?: string
}

const blockTypes: ReadonlySet<string> = new Set(['variable', 'function', 'group', 'target'])

/** What files define together, on top of what others did before. Throws BakeFileError. */
export function parseDefinition(
  bodies: readonly Body[],
  before: Definition,
  surroundings: Surroundings,
): { definition: Definition; variables: ListedVariable[] } {
  const blocks = bodies.flatMap((body) => body.blocks)
  const resolver = new Resolver(surroundings)
  checkLabels(blocks)
  collectVariables(blocks, resolver, surroundings)
  collectAttributes(bodies, resolver, surroundings)
  resolver.resolveAll()
  const variables = [...resolver.variables.values()].map(({ name, type, description }) => ({
    name,
    ...(type === undefined ? {} : { type: typeName(type) }),
    ...(description === '' ? {} : { description }),
    ...listedValue(resolver.scope.lookup(name)!),
  }))
  validate(resolver.variables.values(), resolver.scope)
  resolver.resolveFunctions()
  const definition = evaluateBlocks(blocks, resolver, before)
  resolver.resolveAttributes()
  return { definition, variables: variables.toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
}

function listedValue(value: Value): { value?: string } {
  if (isNull(value)) return {}
  return { value: isPrimitive(value.type) ? textOf(convert(value, string)) : encodeJson(value) }
}

function checkLabels(blocks: readonly Block[]): void {
  const problems = blocks
    .filter(({ type, labels }) => blockTypes.has(type) && labels.length !== 1)
    .map(({ type, labels, labelRanges, openRange }): Diagnostic => {
      if (labels.length === 0) {
        const detail = `All ${type} blocks must have 1 labels (name).`
        return { summary: `Missing name for ${type}`, detail, subject: openRange }
      }
      const detail = `Only 1 labels (name) are expected for ${type} blocks.`
      return { summary: `Extraneous label for ${type}`, detail, subject: labelRanges[1] }
    })
  refuseIfAny(problems)
}

function collectVariables(blocks: readonly Block[], resolver: Resolver, { builtins }: Surroundings): void {
  for (const block of blocks) {
    const name = block.labels[0]!
    if (builtins.has(name) || name === 'target' || name === 'group') continue
    if (block.type === 'variable') resolver.variables.set(name, readVariable(block, resolver.scope))
    if (block.type === 'function') resolver.functions.set(name, readFunction(block))
  }
}

/** Attributes outside of blocks are variables that the environment does not change. */
function collectAttributes(bodies: readonly Body[], resolver: Resolver, { builtins }: Surroundings): void {
  for (const attribute of bodies.flatMap(({ attributes }) => attributes)) {
    const { name } = attribute
    if (builtins.has(name) || blockTypes.has(name)) continue
    const existing = resolver.attributes.get(name)
    if (existing === undefined) resolver.attributes.set(name, attribute)
    else if (existing.nameRange.file === attribute.nameRange.file) refuseRedefinition(attribute, existing)
  }
}

function refuseRedefinition({ name, nameRange }: Attribute, existing: Attribute): never {
  const detail = `The argument "${name}" was already set at ${describeRange(existing.nameRange)}.`
  throw new BakeFileError([{ summary: 'Duplicate attribute definition', detail, subject: nameRange }])
}

function evaluateBlocks(all: readonly Block[], resolver: Resolver, before: Definition): Definition {
  const blocks = all.filter(({ type }) => type === 'group' || type === 'target')
  const evaluator = new BlockEvaluator(resolver)
  evaluator.nameAll(blocks)
  const targets = new Map<string, TargetFields>(before.targets.map(({ name, fields }) => [name, fields]))
  const groups = new Map<string, Group>(before.groups.map((group) => [group.name, group]))
  const renamed = new Map<string, string[]>()
  const problems: Diagnostic[] = []
  for (const block of blocks) {
    try {
      const found = evaluator.evaluate(block)
      for (const { name, fields } of found.targets) targets.set(name, mergeFields(targets.get(name) ?? {}, fields))
      if (found.group !== undefined) groups.set(found.group.name, found.group)
      const label = block.labels[0]!
      if (block.type === 'target') renamed.set(label, [...(renamed.get(label) ?? []), ...found.names])
    } catch (error) {
      if (!(error instanceof BakeFileError)) throw error
      problems.push(...error.diagnostics)
    }
  }
  refuseIfAny(problems)
  return {
    groups: [...groups.values(), ...matrixGroups(renamed)].map((group) => ({
      ...group,
      targets: [...new Set(group.targets)],
    })),
    targets: [...targets].map(([name, fields]): Target => ({ name, fields })),
  }
}

/** The name that a block with a matrix has in the file is a group of what came of it. */
function matrixGroups(renamed: ReadonlyMap<string, readonly string[]>): Group[] {
  return [...renamed]
    .map(([name, names]) => ({ name, targets: [...new Set(names)] }))
    .filter(({ name, targets }) => targets.length !== 1 || targets[0] !== name)
}
