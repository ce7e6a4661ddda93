import { escapeAsGo } from '@berth/base'
import { formatNumber, parseNumber } from '../values/decimal.ts'
import { dynamic, string } from '../values/types.ts'
import {
  booleanValue,
  decimalOf,
  entriesOf,
  itemsOf,
  nullOf,
  numberValue,
  objectValue,
  stringValue,
  textOf,
  tupleValue,
  type Value,
} from '../values/value.ts'
import { CallFailure, define, type FunctionSpec, parameter } from './function.ts'

/** A string as Go's encoding/json writes it: what HTML gives a meaning is escaped. */
export const goJsonString = (text: string): string => escapeAsGo(JSON.stringify(text))

/** A value as compact JSON. */
export function encodeJson(value: Value): string {
  const { type, data } = value
  if (data === null || data === undefined) return 'null'
  if (Array.isArray(data)) return `[${itemsOf(value).map(encodeJson).join(',')}]`
  if (data instanceof Map) {
    const members = [...entriesOf(value)].map(([name, one]) => `${goJsonString(name)}:${encodeJson(one)}`)
    return `{${members.join(',')}}`
  }
  if (type.kind === 'number') return formatNumber(decimalOf(value))
  return typeof data === 'string' ? goJsonString(data) : String(data)
}

class WrittenNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** JSON as a value, tuples and objects for arrays and objects. Throws SyntaxError. */
export function decodeJson(text: string): Value {
  // Numbers as they are written, which doubles would not keep.
  const parsed: unknown = JSON.parse(text, (_, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' ? new WrittenNumber(context?.source ?? String(value)) : value,
  )
  return fromParsed(parsed, 0)
}

function fromParsed(parsed: unknown, depth: number): Value {
  if (depth > 200) throw new SyntaxError('nested too deeply')
  if (parsed === null) return nullOf(dynamic)
  if (typeof parsed === 'boolean') return booleanValue(parsed)
  if (typeof parsed === 'string') return stringValue(parsed)
  if (Array.isArray(parsed)) return tupleValue(parsed.map((one) => fromParsed(one, depth + 1)))
  if (parsed instanceof WrittenNumber) {
    const number = parseNumber(parsed.text)
    if (number === undefined) throw new SyntaxError('number out of range')
    return numberValue(number)
  }
  return objectValue(Object.entries(parsed as object).map(([name, one]) => [name, fromParsed(one, depth + 1)]))
}

export const jsonFunctions: Readonly<Record<string, FunctionSpec>> = {
  jsonencode: define([{ name: 'val', type: dynamic, allowsNull: true }], ([value]) => stringValue(encodeJson(value!))),
  jsondecode: define([parameter('str', string)], ([text]) => {
    try {
      return decodeJson(textOf(text!))
    } catch (error) {
      if (error instanceof SyntaxError)
        throw new CallFailure(
          textOf(text!).trim() === '' || /^[[{]\s*$/.test(textOf(text!).trim()) ? 'EOF' : 'invalid JSON document',
        )
      throw error
    }
  }),
}
