import { parseGoBool } from '@berth/base'
import {
  canonicalAttestation,
  lastOfEachId,
  lastOfEachType,
  type Output,
  parseAttestation,
  parseCaches,
  parseOutput,
  parseSecret,
  parseSsh,
  withoutDuplicates,
} from './entries.ts'
import { matchPattern } from './go-text.ts'
import { type Definition, mergeFields, type TargetFields } from './target.ts'

/** What `--set` says of one key of a target. */
export interface Override {
  readonly value: string
  readonly values: readonly string[]
  readonly isAppended: boolean
}

/** By the names of targets, by key: `args.VERSION`. */
export type Overrides = ReadonlyMap<string, ReadonlyMap<string, Override>>

/** A command line that cannot be followed. */
export class OverrideError extends Error {}

const lists: ReadonlySet<string> = new Set(
  'output cache-to cache-from tags platform secrets ssh attest entitlements network annotations'.split(' '),
)
/** These have a list, and are set like a single value: the list stays empty, as in buildx. */
const neverListed = 'network'

/** The `--set` flags. A name can be a pattern; `+=` adds. `environment` gives the args that have no value here. */
export function parseOverrides(
  flags: readonly string[],
  definition: Definition,
  environment: (name: string) => string | undefined,
): Overrides {
  const overrides = new Map<string, Map<string, Override>>()
  for (const flag of flags) {
    const at = flag.indexOf('=')
    const written = at === -1 ? flag : flag.slice(0, at)
    const isAppended = written.endsWith('+')
    const path = isAppended ? written.slice(0, -1) : written
    const [pattern, key, ...rest] = path.split('.')
    if (key === undefined) throw new OverrideError(`invalid override key ${path}, expected target.name`)
    const given = at === -1 ? undefined : flag.slice(at + 1)
    if (given === undefined && key !== 'args') {
      throw new OverrideError(`invalid override ${flag}, expected target.name=value`)
    }
    const names = expandTargets(pattern!, definition)
    if ((key === 'args' || key === 'contexts') && rest.length === 0) {
      throw new OverrideError(`invalid key ${written}, ${key} requires name`)
    }
    const inner = rest.join('.')
    const value = given ?? environment(inner)
    if (value === undefined) continue
    const fullKey = [key, ...rest].join('.')
    for (const name of names) {
      const known = overrides.get(name) ?? new Map<string, Override>()
      overrides.set(name, known)
      known.set(fullKey, extend(known.get(fullKey), key, value, isAppended))
    }
  }
  return overrides
}

function extend(before: Override | undefined, key: string, value: string, isAppended: boolean): Override {
  if (!lists.has(key)) return { value, values: [], isAppended: false }
  return { value: key === neverListed ? '' : value, values: [...(before?.values ?? []), value], isAppended }
}

function expandTargets(pattern: string, { targets }: Definition): string[] {
  if (targets.some(({ name }) => name === pattern)) return [pattern]
  const found = targets.map(({ name }) => name).filter((name) => matches(pattern, name))
  if (found.length === 0) throw new OverrideError(`could not find any target matching '${pattern}'`)
  return found
}

function matches(pattern: string, name: string): boolean {
  const matched = matchPattern(pattern, name)
  if (matched === undefined)
    throw new OverrideError(`could not match targets with '${pattern}': syntax error in pattern`)
  return matched
}

/** Names of targets and groups that a pattern stands for; a name stands for itself. */
export function matchNames(pattern: string, { groups, targets }: Definition): string[] {
  if (!/[*?[\]]/.test(pattern)) return [pattern]
  const found = [...groups, ...targets].map(({ name }) => name).filter((name) => matchPattern(pattern, name) === true)
  if (found.length === 0) throw new OverrideError(`could not find any target matching "${pattern}"`)
  return found
}

/** What a target says, with what `--set` says of it. */
export function applyOverrides(
  fields: TargetFields,
  overrides: ReadonlyMap<string, Override> | undefined,
): TargetFields {
  let changed = fields
  for (const [path, override] of overrides ?? []) changed = { ...changed, ...applyOne(changed, path, override) }
  return changed
}

function applyOne(fields: TargetFields, path: string, override: Override): TargetFields {
  const dot = path.indexOf('.')
  const key = dot === -1 ? path : path.slice(0, dot)
  const inner = dot === -1 ? undefined : path.slice(dot + 1)
  const { value } = override
  switch (key) {
    case 'context':
    case 'dockerfile':
    case 'target':
    case 'call':
    case 'shm-size':
    case 'network':
      return { [key]: value }
    case 'args':
    case 'contexts':
    case 'labels':
    case 'extra-hosts':
      if (inner === undefined)
        throw new OverrideError(`invalid format for ${key}, expecting ${key}.${placeholder[key]}`)
      return mergeFields(fields, { [key]: new Map([[inner, value]]) })
    case 'no-cache':
    case 'pull':
      return { [key]: flagValue(key, value) }
    case 'push':
      return { output: push(fields.output ?? [], flagValue(key, value)) }
    case 'load':
      return { output: flagValue(key, value) ? load(fields.output ?? []) : (fields.output ?? []) }
    default:
      return applyList(fields, key, override)
  }
}

const placeholder = {
  args: '<name>=<value>',
  contexts: '<name>=<value>',
  labels: '<name>=<value>',
  'extra-hosts': '<hostname>=<ip>',
}

function flagValue(key: string, value: string): boolean {
  const parsed = parseGoBool(value)
  if (parsed === undefined) throw new OverrideError(`invalid value ${value} for boolean key ${key}`)
  return parsed
}

function applyList(fields: TargetFields, key: string, { values, isAppended }: Override): TargetFields {
  const given = values.filter((text) => text !== '')
  const list = <T>(before: readonly T[] | undefined, added: readonly T[]): T[] =>
    isAppended ? withoutDuplicates([...(before ?? []), ...added]) : [...added]
  const append = <T>(before: readonly T[] | undefined, added: readonly T[]): T[] => [
    ...(isAppended ? (before ?? []) : []),
    ...added,
  ]
  switch (key) {
    case 'tags':
      return { tags: append(fields.tags, values) }
    case 'platform':
      return { platforms: append(fields.platforms, values) }
    case 'no-cache-filter':
      return { 'no-cache-filter': append(fields['no-cache-filter'], values) }
    case 'ulimits':
      return { ulimits: append(fields.ulimits, values) }
    case 'annotations':
      return { annotations: [...(fields.annotations ?? []), ...values] }
    case 'entitlements':
      return { entitlements: [...(fields.entitlements ?? []), ...values] }
    case 'cache-from':
      return { 'cache-from': list(fields['cache-from'], given.flatMap(parseCaches)) }
    case 'cache-to':
      return { 'cache-to': list(fields['cache-to'], given.flatMap(parseCaches)) }
    case 'output':
      return {
        output: list(
          fields.output,
          invalidAs('outputs', () => given.map(parseOutput)),
        ),
      }
    case 'secrets':
      return {
        secret: lastOfEachId(
          append(
            fields.secret,
            invalidAs('outputs', () => given.map(parseSecret)),
          ),
        ),
      }
    case 'ssh':
      return { ssh: lastOfEachId(append(fields.ssh, given.map(parseSsh))) }
    case 'attest': {
      const attestations = invalidAs('attest', () => given.map(parseAttestation))
      return { attest: lastOfEachType([...(fields.attest ?? []), ...attestations]) }
    }
    default:
      throw new OverrideError(`unknown key: ${key}`)
  }
}

function invalidAs<T>(what: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new OverrideError(`invalid value for ${what}: ${(error as Error).message}`)
  }
}

/** Makes images be pushed, or not. */
function push(outputs: readonly Output[], wanted: boolean): Output[] {
  if (!wanted) {
    return outputs
      .filter(({ type }) => type !== 'registry')
      .map((one) => (one.type === 'image' ? withAttribute(one, 'push', 'false') : one))
  }
  const pushed = outputs.map((one) => (one.type === 'image' ? withAttribute(one, 'push', 'true') : one))
  if (!outputs.every(({ type }) => type === 'docker')) return pushed
  return [...pushed, { type: 'image', dest: '', attributes: { push: 'true' } }]
}

const withAttribute = (output: Output, name: string, value: string): Output => ({
  ...output,
  attributes: { ...output.attributes, [name]: value },
})

/** Makes the image be loaded into the engine, unless something else than images is asked for. */
function load(outputs: readonly Output[]): Output[] {
  const isDone = outputs.some(({ type, dest }) => type === 'docker' && dest === '')
  const isOther = outputs.some(({ type }) => !['docker', 'image', 'registry', 'oci'].includes(type))
  return isDone || isOther ? [...outputs] : [...outputs, { type: 'docker', dest: '', attributes: {} }]
}

/** The flags of a command that stand for `--set` of all targets. */
export interface Shorthands {
  readonly push?: boolean
  readonly load?: boolean
  readonly call?: string | undefined
  readonly noCache?: boolean | undefined
  readonly pull?: boolean | undefined
  readonly sbom?: string | undefined
  readonly provenance?: string | undefined
}

export function shorthandOverrides(flags: Shorthands): string[] {
  const attest = (type: string, text: string | undefined): string[] =>
    text === undefined || text === '' ? [] : [`*.attest=${canonicalAttestation(type, text)}`]
  return [
    ...(flags.push === true ? ['*.push=true'] : []),
    ...(flags.load === true ? ['*.load=true'] : []),
    ...(flags.call === undefined ? [] : [`*.call=${flags.call}`]),
    ...(flags.noCache === undefined ? [] : [`*.no-cache=${flags.noCache}`]),
    ...(flags.pull === undefined ? [] : [`*.pull=${flags.pull}`]),
    ...attest('sbom', flags.sbom),
    ...attest('provenance', flags.provenance),
  ]
}
