import { bool, list, map, string } from '../values/types.ts'
import {
  booleanValue,
  listValue,
  mapValue,
  nullOf,
  objectValue,
  stringValue,
  tupleValue,
  type Value,
} from '../values/value.ts'
import type { Attestation, CacheEntry, Output, Secret, SshForward } from './entries.ts'
import { type AttributeKind, attributeKinds, attributeNames, type NullableMap, type TargetFields } from './target.ts'

const texts = (items: readonly string[]): Value => listValue(string, items.map(stringValue))
const members = (given: Readonly<Record<string, string>>): Value =>
  mapValue(
    string,
    Object.entries(given).map(([name, text]) => [name, stringValue(text)]),
  )

/** A target as other expressions see it: `target.app.tags`. */
export function targetValue(name: string, fields: TargetFields): Value {
  const attributes = attributeNames.map((one): [string, Value] => [
    one,
    attributeValue(attributeKinds[one], fields[one]),
  ])
  return objectValue([
    ...attributes,
    ['name', stringValue(name)],
    ['description', stringValue(fields.description ?? '')],
  ])
}

function attributeValue(kind: AttributeKind, given: unknown): Value {
  switch (kind) {
    case 'text':
      return given === undefined ? nullOf(string) : stringValue(given as string)
    case 'flag':
      return given === undefined ? nullOf(bool) : booleanValue(given as boolean)
    case 'texts':
      return given === undefined ? nullOf(list(string)) : texts(given as string[])
    case 'text-map':
    case 'nullable-map':
      return given === undefined ? nullOf(map(string)) : mapOf(given as NullableMap)
    default:
      return entriesValue(((given as unknown[] | undefined) ?? []).map((entry) => entryValue(kind, entry)))
  }
}

const mapOf = (given: NullableMap): Value =>
  mapValue(
    string,
    [...given].map(([name, text]) => [name, text === null ? nullOf(string) : stringValue(text)]),
  )

const entriesValue = (entries: readonly Value[]): Value =>
  entries.length === 0 ? tupleValue([]) : listValue(entries[0]!.type, entries)

function entryValue(kind: AttributeKind, entry: unknown): Value {
  switch (kind) {
    case 'attestations': {
      const { type, isDisabled, attributes } = entry as Attestation
      return members({ ...attributes, type, ...(isDisabled ? { disabled: 'true' } : {}) })
    }
    case 'outputs': {
      const { type, dest, attributes } = entry as Output
      return members({ ...attributes, type, dest })
    }
    case 'secrets': {
      const { id, src, env } = entry as Secret
      return objectValue([
        ['id', stringValue(id)],
        ['src', stringValue(src)],
        ['env', stringValue(env)],
      ])
    }
    case 'ssh': {
      const { id, paths } = entry as SshForward
      return objectValue([
        ['id', stringValue(id)],
        ['paths', texts(paths)],
      ])
    }
    default: {
      const { type, attributes } = entry as CacheEntry
      return members({ ...attributes, type })
    }
  }
}
