import type { Attestation, CacheEntry, Output, Secret, SshForward } from './entries.ts'
import { lastOfEachId, lastOfEachType, withoutDuplicates } from './entries.ts'

export type TextMap = ReadonlyMap<string, string>
/** A value of null is as if it were not given. */
export type NullableMap = ReadonlyMap<string, string | null>

/** What a target says, by the names of the attributes. What is missing was not given. */
export interface TargetFields {
  description?: string
  inherits?: readonly string[]
  annotations?: readonly string[]
  attest?: readonly Attestation[]
  context?: string
  contexts?: TextMap
  dockerfile?: string
  'dockerfile-inline'?: string
  args?: NullableMap
  labels?: NullableMap
  tags?: readonly string[]
  'cache-from'?: readonly CacheEntry[]
  'cache-to'?: readonly CacheEntry[]
  target?: string
  secret?: readonly Secret[]
  ssh?: readonly SshForward[]
  platforms?: readonly string[]
  output?: readonly Output[]
  pull?: boolean
  'no-cache'?: boolean
  network?: string
  'no-cache-filter'?: readonly string[]
  'shm-size'?: string
  ulimits?: readonly string[]
  call?: string
  entitlements?: readonly string[]
  'extra-hosts'?: NullableMap
}

export interface Target {
  readonly name: string
  readonly fields: TargetFields
  /** Only another target uses it: it has no result of its own. */
  readonly isLinked?: boolean
}

export interface Group {
  readonly name: string
  readonly description?: string | undefined
  readonly targets: readonly string[]
}

/** What one or several files define. */
export interface Definition {
  readonly groups: readonly Group[]
  readonly targets: readonly Target[]
}

type Name = keyof TargetFields
/** What the attributes are made of. */
export type AttributeKind =
  | 'text'
  | 'flag'
  | 'texts'
  | 'text-map'
  | 'nullable-map'
  | 'attestations'
  | 'caches'
  | 'outputs'
  | 'secrets'
  | 'ssh'

/** All attributes of a target, in the order in which they are printed. */
export const attributeKinds: Readonly<Record<Name, AttributeKind>> = {
  description: 'text',
  inherits: 'texts',
  annotations: 'texts',
  attest: 'attestations',
  context: 'text',
  contexts: 'text-map',
  dockerfile: 'text',
  'dockerfile-inline': 'text',
  args: 'nullable-map',
  labels: 'nullable-map',
  tags: 'texts',
  'cache-from': 'caches',
  'cache-to': 'caches',
  target: 'text',
  secret: 'secrets',
  ssh: 'ssh',
  platforms: 'texts',
  output: 'outputs',
  pull: 'flag',
  'no-cache': 'flag',
  network: 'text',
  'no-cache-filter': 'texts',
  'shm-size': 'text',
  ulimits: 'texts',
  call: 'text',
  entitlements: 'texts',
  'extra-hosts': 'nullable-map',
}
export const attributeNames = Object.keys(attributeKinds) as Name[]

/** What is added to what was there before, rather than put in its place. */
const appended: ReadonlySet<Name> = new Set([
  'inherits',
  'annotations',
  'attest',
  'secret',
  'ssh',
  'cache-from',
  'no-cache-filter',
  'ulimits',
  'entitlements',
] as const)

/** The first fields with those of the second over them. */
export function mergeFields(before: TargetFields, after: TargetFields): TargetFields {
  const merged: Record<string, unknown> = { ...before }
  for (const name of attributeNames) {
    const value = after[name]
    if (value === undefined || (name === 'description' && value === '')) continue
    merged[name] = mergeValue(name, before[name], value)
  }
  return merged as TargetFields
}

function mergeValue(name: Name, before: unknown, after: unknown): unknown {
  if (after instanceof Map) {
    const given = [...(after as NullableMap)].filter(([, value]) => value !== null)
    return new Map([...((before as NullableMap | undefined) ?? []), ...given])
  }
  if (!appended.has(name)) return after
  const all = [...((before as unknown[] | undefined) ?? []), ...(after as unknown[])]
  return attributeKinds[name] === 'texts' ? all : distinctEntries(name, all)
}

function distinctEntries(name: Name, entries: readonly unknown[]): readonly unknown[] {
  switch (attributeKinds[name]) {
    case 'attestations':
      return lastOfEachType(entries as Attestation[])
    case 'secrets':
    case 'ssh':
      return lastOfEachId(entries as { id: string }[])
    default:
      return withoutDuplicates(entries)
  }
}

/** Without duplicates and without what is empty; the host's network needs its entitlement. */
export function normalizeFields(fields: TargetFields): TargetFields {
  const normal: Record<string, unknown> = { ...fields }
  if (fields.network === 'host') normal['entitlements'] = [...(fields.entitlements ?? []), 'network.host']
  for (const name of attributeNames) {
    const value = normal[name]
    if (Array.isArray(value)) normal[name] = normalizeList(name, value)
  }
  const contexts = [...(fields.contexts ?? [])].filter(([, value]) => value !== '')
  normal['contexts'] = contexts.length === 0 ? undefined : new Map(contexts)
  return normal as TargetFields
}

function normalizeList(name: Name, entries: readonly unknown[]): readonly unknown[] | undefined {
  if (entries.length === 0) return undefined
  if (attributeKinds[name] !== 'texts') return distinctEntries(name, entries)
  return name === 'inherits' ? entries : [...new Set(entries)].filter((text) => text !== '')
}
