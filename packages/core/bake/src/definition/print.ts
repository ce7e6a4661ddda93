import { goJsonString } from '../functions/json.ts'
import type { Attestation, CacheEntry, Output, Secret, SshForward } from './entries.ts'
import type { Selection } from './resolve-targets.ts'
import {
  type AttributeKind,
  attributeKinds,
  attributeNames,
  type Group,
  type NullableMap,
  type TargetFields,
} from './target.ts'

/** What only HCL gives a meaning is escaped, so that what is printed can be read again. */
const escaped: ReadonlySet<string> = new Set(['annotations', 'dockerfile-inline', 'labels', 'args', 'extra-hosts'])
const escapeTemplate = (text: string): string => text.replaceAll('${', '$$${').replaceAll('%{', '%%{')

/** JSON as it is parsed. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

const sorted = <T>(entries: Iterable<readonly [string, T]>): [string, T][] =>
  [...entries].map(([name, value]): [string, T] => [name, value]).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))

/** What will be built, as JSON, in the form and with the bytes of `docker buildx bake --print`. */
export function printSelection({ targets, groups }: Selection): string {
  const selected: Json = {
    ...(groups.size === 0
      ? {}
      : { group: Object.fromEntries(sorted(groups).map(([name, group]) => [name, groupJson(group)])) }),
    target: Object.fromEntries(sorted(targets).map(([name, { fields }]) => [name, targetJson(fields)])),
  }
  return `${goJson(selected)}\n`
}

export const groupJson = ({ description, targets }: Group): Json => ({
  ...(description === undefined || description === '' ? {} : { description }),
  targets,
})

export function targetJson(fields: TargetFields): { [name: string]: Json } {
  const printed: { [name: string]: Json } = {}
  for (const name of attributeNames) {
    const value = attributeJson(attributeKinds[name], fields[name], escaped.has(name))
    if (value !== undefined) printed[name] = value
  }
  return printed
}

function attributeJson(kind: AttributeKind, given: unknown, isEscaped: boolean): Json | undefined {
  const text = (value: string): string => (isEscaped ? escapeTemplate(value) : value)
  if (given === undefined) return undefined
  switch (kind) {
    case 'text':
      return text(given as string)
    case 'flag':
      return given as boolean
    case 'texts':
      return unlessEmpty((given as string[]).map(text))
    case 'text-map':
    case 'nullable-map': {
      const entries = sorted(
        [...(given as NullableMap)].filter((entry): entry is [string, string] => entry[1] !== null),
      )
      return entries.length === 0 ? undefined : Object.fromEntries(entries.map(([name, value]) => [name, text(value)]))
    }
    default:
      return unlessEmpty((given as unknown[]).map((entry) => entryJson(kind, entry)))
  }
}

const unlessEmpty = (items: readonly Json[]): Json | undefined => (items.length === 0 ? undefined : items)

const filled = (given: Readonly<Record<string, Json>>): Json =>
  Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== '' && !(Array.isArray(value) && value.length === 0)),
  )

function entryJson(kind: AttributeKind, entry: unknown): Json {
  switch (kind) {
    case 'attestations': {
      const { type, isDisabled, attributes } = entry as Attestation
      return Object.fromEntries(
        sorted(Object.entries({ ...attributes, type, ...(isDisabled ? { disabled: true } : {}) })),
      )
    }
    case 'outputs': {
      const { type, dest, attributes } = entry as Output
      return Object.fromEntries(sorted(Object.entries({ ...attributes, type, ...(dest === '' ? {} : { dest }) })))
    }
    case 'secrets': {
      const { id, src, env } = entry as Secret
      return filled({ id, src, env })
    }
    case 'ssh': {
      const { id, paths } = entry as SshForward
      return filled({ id, paths })
    }
    default: {
      const { type, attributes } = entry as CacheEntry
      return Object.fromEntries(sorted(Object.entries({ ...attributes, type })))
    }
  }
}

/** JSON as Go's MarshalIndent writes it, by two spaces. */
export const goJson = (value: Json): string => indented(value, '')

function indented(value: Json, indent: string): string {
  const inner = `${indent}  `
  if (typeof value === 'string') return goJsonString(value)
  if (typeof value !== 'object' || value === null) return String(value)
  const isArray = Array.isArray(value)
  const items = isArray
    ? value.map((item: Json) => indented(item, inner))
    : Object.entries(value).map(([name, item]) => `${goJsonString(name)}: ${indented(item, inner)}`)
  const [open, close] = isArray ? '[]' : '{}'
  return items.length === 0
    ? `${open}${close}`
    : `${open}\n${items.map((item) => inner + item).join(',\n')}\n${indent}${close}`
}
