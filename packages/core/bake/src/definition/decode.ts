import { evaluate } from '../evaluate/evaluate.ts'
import type { Scope } from '../evaluate/scope.ts'
import { BakeFileError, type Diagnostic, refuse, refuseIfAny } from '../syntax/diagnostic.ts'
import { type Attribute, startRange } from '../syntax/nodes.ts'
import { encodeJson } from '../functions/json.ts'
import { ConversionError, convert } from '../values/convert.ts'
import { mismatch } from '../values/mismatch.ts'
import { bool, list, map, string, type Type } from '../values/types.ts'
import { entriesOf, isNull, isWhollyKnown, itemsOf, textOf, type Value } from '../values/value.ts'
import {
  attestationFrom,
  cacheFrom,
  EntryError,
  outputFrom,
  parseAttestation,
  parseCaches,
  parseOutput,
  parseSecret,
  parseSsh,
} from './entries.ts'
import type { AttributeKind } from './target.ts'

const mapOfStrings = map(string)

/** The value of an attribute as its kind wants it; undefined for null. Throws BakeFileError. */
export function decodeAttribute({ expression }: Attribute, kind: AttributeKind, scope: Scope): unknown {
  const problems: Diagnostic[] = []
  const value = evaluate(expression, { scope, problems })
  const unsuitable = (problem: string): never => {
    const detail = `Unsuitable value: ${problem}`
    refuse('Unsuitable value type', detail, startRange(expression))
  }
  try {
    const converted = convertTo(value, kind)
    if (types[kind] !== undefined && !isWhollyKnown(converted)) unsuitable('value must be known')
    const decoded = decode(converted, kind)
    refuseIfAny(problems)
    return decoded
  } catch (error) {
    if (error instanceof BakeFileError && problems.includes(error.diagnostics[0]!)) throw error
    if (problems.length > 0) return refuseIfAny([...problems, unsuitableDiagnostic(error, expression)])
    if (error instanceof ConversionError || error instanceof EntryError) return unsuitable(error.message)
    throw error
  }
}

const unsuitableDiagnostic = (error: unknown, expression: Attribute['expression']): Diagnostic => ({
  summary: 'Unsuitable value type',
  detail: `Unsuitable value: ${(error as Error).message}`,
  subject: startRange(expression),
})

const types: Readonly<Partial<Record<AttributeKind, Type>>> = {
  text: string,
  flag: bool,
  texts: list(string),
  'text-map': mapOfStrings,
  'nullable-map': mapOfStrings,
}

const convertTo = (value: Value, kind: AttributeKind): Value => {
  const type = types[kind]
  return type === undefined ? value : convert(value, type)
}

function requireNoNulls(values: Iterable<Value>): void {
  for (const value of values) if (isNull(value)) throw new EntryError('null value is not allowed')
}

function decode(value: Value, kind: AttributeKind): unknown {
  if (isNull(value)) return undefined
  switch (kind) {
    case 'text':
    case 'flag':
      return value.data
    case 'texts':
      requireNoNulls(itemsOf(value))
      return itemsOf(value).map(textOf)
    case 'text-map':
      requireNoNulls(entriesOf(value).values())
      return new Map([...entriesOf(value)].map(([name, text]) => [name, textOf(text)]))
    case 'nullable-map':
      return new Map([...entriesOf(value)].map(([name, text]) => [name, text.data as string | null]))
    case 'attestations':
      return entries(value, parseAttestation, (one) => attestationFrom(textsOf(one)))
    case 'caches':
      return entries(value, parseCaches, (one) => [cacheFrom(textsOf(one), encodeJson(one))]).flat()
    case 'outputs':
      return entries(value, parseOutput, (one) => outputFrom(textsOf(one)))
    case 'secrets':
      return entries(value, parseSecret, secretFrom)
    case 'ssh':
      return entries(value, parseSsh, sshFrom)
  }
}

/** Each element from its text or from its members; empty texts are none. */
function entries<T>(value: Value, fromText: (text: string) => T, fromMembers: (value: Value) => T): T[] {
  const { kind } = value.type
  if (kind !== 'tuple' && kind !== 'list') throw new EntryError(mismatch(value.type, list(mapOfStrings)))
  return itemsOf(value)
    .filter(({ data }) => data !== '' && data !== undefined)
    .map((one) => (one.type.kind === 'string' && !isNull(one) ? fromText(textOf(one)) : fromMembers(one)))
}

function textsOf(value: Value): Record<string, string> {
  const members = entriesOf(convert(value, mapOfStrings))
  return Object.fromEntries([...members].map(([name, text]) => [name, textOf(text)]))
}

const optionalText: Type = string
const secretType: Type = {
  kind: 'object',
  attributes: new Map(['id', 'src', 'env'].map((name) => [name, optionalText])),
  optional: new Set(['id', 'src', 'env']),
}
const sshType: Type = {
  kind: 'object',
  attributes: new Map<string, Type>([
    ['id', string],
    ['paths', list(string)],
  ]),
  optional: new Set(['id', 'paths']),
}

const textIn = (value: Value, name: string): string => (entriesOf(value).get(name)!.data as string | null) ?? ''

function secretFrom(value: Value): { id: string; src: string; env: string } {
  const members = convert(value, secretType)
  return { id: textIn(members, 'id'), src: textIn(members, 'src'), env: textIn(members, 'env') }
}

function sshFrom(value: Value): { id: string; paths: string[] } {
  const members = convert(value, sshType)
  const paths = entriesOf(members).get('paths')!
  return { id: textIn(members, 'id'), paths: isNull(paths) ? [] : itemsOf(paths).map(textOf) }
}
