import { applyOverrides, matchNames, type Overrides } from './overrides.ts'
import { type Definition, type Group, mergeFields, normalizeFields, type Target, type TargetFields } from './target.ts'

/** What a command line asks for: targets with all that they inherit, and the groups that led to them. */
export interface Selection {
  readonly targets: ReadonlyMap<string, Target>
  readonly groups: ReadonlyMap<string, Group>
}

/** A selection that does not exist, or that leads in circles. */
export class SelectionError extends Error {}

/** Resolves names of targets and groups, and patterns of them. Throws SelectionError and OverrideError. */
export function resolveTargets(names: readonly string[], definition: Definition, overrides: Overrides): Selection {
  const wanted = [
    ...new Set(names.map((name) => name.replaceAll('.', '_')).flatMap((name) => matchNames(name, definition))),
  ]
  const resolver = new TargetResolver(definition, overrides)
  const targets = new Map<string, Target>()
  const groups = new Map<string, Group>()
  for (const name of wanted) {
    const found = expandGroup(name, definition)
    for (const target of found.targets) targets.set(target, resolver.resolve(target))
    for (const group of found.groups)
      groups.set(
        group,
        definition.groups.find((one) => one.name === group)!,
      )
  }
  addDefault(wanted, groups)
  const roots = Array.from(targets.keys())
  for (const name of roots) resolver.link(name, targets, [])
  return { targets, groups }
}

function expandGroup(name: string, definition: Definition): { targets: readonly string[]; groups: readonly string[] } {
  const visited = new Map<string, { targets: string[]; groups: string[] }>()
  const expand = (one: string): { targets: string[]; groups: string[] } => {
    const known = visited.get(one)
    if (known !== undefined) return known
    const group = definition.groups.find((candidate) => candidate.name === one)
    if (group === undefined) return { targets: [one], groups: [] }
    visited.set(one, { targets: [], groups: [] })
    const inner = group.targets.map((member) => ({ member, found: expand(member) }))
    const found = {
      targets: [
        ...new Set(inner.flatMap(({ member, found: { targets } }) => (targets.length > 0 ? targets : [member]))),
      ],
      groups: [...new Set([one, ...inner.flatMap(({ found: { groups } }) => groups)])],
    }
    visited.set(one, found)
    return found
  }
  return expand(name)
}

/** The group `default` is what was asked for. */
function addDefault(wanted: readonly string[], groups: Map<string, Group>): void {
  for (const name of wanted) {
    const group = groups.get('default')
    if (group !== undefined && name === 'default') continue
    groups.set('default', { ...group, name: 'default', targets: [...(group?.targets ?? []), name] })
  }
  const group = groups.get('default')
  if (group !== undefined) groups.set('default', { ...group, targets: [...new Set(group.targets)].toSorted() })
}

class TargetResolver {
  readonly #definition: Definition
  readonly #overrides: Overrides

  constructor(definition: Definition, overrides: Overrides) {
    this.#definition = definition
    this.#overrides = overrides
  }

  resolve(name: string): Target {
    const { inherits: _, ...fields } = this.#inherit(name, new Map())!
    const dockerfile = fields.dockerfile === undefined || fields.dockerfile === '' ? 'Dockerfile' : fields.dockerfile
    return { name, fields: { ...fields, context: fields.context ?? '.', dockerfile } }
  }

  /** Undefined for one that is being resolved: circles of inheritance are let be, as in buildx. */
  #inherit(name: string, visited: Map<string, TargetFields | undefined>): TargetFields | undefined {
    if (visited.has(name)) return visited.get(name)
    visited.set(name, undefined)
    const target = this.#definition.targets.find((one) => one.name === name)
    if (target === undefined) throw new SelectionError(`failed to find target ${name}`)
    let inherited: TargetFields = {}
    for (const parent of target.fields.inherits ?? []) {
      const fields = this.#inherit(parent, visited)
      if (fields !== undefined) inherited = mergeFields(inherited, fields)
    }
    const merged = mergeFields(inherited, target.fields)
    const resolved = normalizeFields(applyOverrides(merged, this.#overrides.get(name)))
    visited.set(name, resolved)
    return resolved
  }

  /** Brings in the targets whose results a target uses as contexts. */
  link(name: string, targets: Map<string, Target>, before: readonly string[]): void {
    const visited = [...before, name]
    for (const context of targets.get(name)!.fields.contexts?.values() ?? []) {
      if (!context.startsWith('target:')) continue
      const linked = context.slice('target:'.length)
      if (linked === name) throw new SelectionError(`target ${linked} cannot link to itself`)
      if (visited.includes(linked)) throw new SelectionError(`infinite loop from ${name} to ${linked}`)
      if (!targets.has(linked)) targets.set(linked, this.#asLinked(linked))
      this.link(linked, targets, visited)
      requirePlatforms(targets.get(name)!, targets.get(linked)!)
      targets.set(name, withEntitlements(targets.get(name)!, targets.get(linked)!))
    }
  }

  #asLinked(name: string): Target {
    const { fields } = this.resolve(name)
    return { name, fields: { ...fields, output: [{ type: 'cacheonly', dest: '', attributes: {} }] }, isLinked: true }
  }
}

function withEntitlements(target: Target, { fields: { entitlements = [] } }: Target): Target {
  if (entitlements.length === 0) return target
  const all = [...new Set([...(target.fields.entitlements ?? []), ...entitlements])]
  return { ...target, fields: { ...target.fields, entitlements: all } }
}

function requirePlatforms(target: Target, linked: Target): void {
  const [wanted, given] = [target.fields.platforms ?? [], linked.fields.platforms ?? []]
  if (wanted.length < 2 || given.length < 2 || wanted.every((one) => given.includes(one))) return
  throw new SelectionError(
    `target ${linked.name} can't be used by ${target.name} because its platforms [${wanted.join(' ')}] are not a subset of [${given.join(' ')}]`,
  )
}
