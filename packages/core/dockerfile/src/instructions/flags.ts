import { invalid } from '@berth/base'
import type { InstructionLine } from '../lines/parse-lines.ts'
import { closest } from './closest.ts'

/** The flags that an instruction knows, by what they take. */
export interface FlagTypes {
  readonly text?: readonly string[]
  readonly list?: readonly string[]
  readonly switch?: readonly string[]
}

export interface Flags {
  text(name: string): string | undefined
  list(name: string): readonly string[]
  isSet(name: string): boolean
}

/** Reads an instruction's flags; refuses unknown ones, repeats and missing values in Docker's words. */
export function readFlags({ flags }: InstructionLine, types: FlagTypes = {}): Flags {
  const values = new Map<string, string[]>()
  for (const flag of flags) {
    const [, name = '', value] = /^--([^=]*)(?:=([^]*))?$/.exec(flag) ?? []
    const isSwitch = types.switch?.includes(name) ?? false
    const isList = types.list?.includes(name) ?? false
    if (!isSwitch && !isList && !types.text?.includes(name)) throw unknownFlag(name, types)
    if (values.has(name) && !isList) throw invalid(`duplicate flag specified: ${name}`)
    const read = isSwitch ? readSwitch(name, value) : value
    if (read === undefined) throw invalid(`missing a value on flag: ${name}`)
    values.set(name, [...(values.get(name) ?? []), read])
  }
  return {
    text: (name) => values.get(name)?.[0],
    list: (name) => values.get(name) ?? [],
    isSet: (name) => values.get(name)?.[0] === 'true',
  }
}

function unknownFlag(name: string, { text = [], list = [], switch: switches = [] }: FlagTypes): Error {
  const meant = closest(name, [...text, ...list, ...switches])
  return invalid(`unknown flag: --${name}${meant === undefined ? '' : ` (did you mean ${meant}?)`}`)
}

function readSwitch(name: string, value: string | undefined): string {
  if (value === undefined) return 'true'
  if (value === '') throw invalid(`missing a value on flag: ${name}`)
  const lower = value.toLowerCase()
  if (lower === 'true' || lower === 'false') return lower
  throw invalid(`expecting boolean value for flag ${name}, not: ${value}`)
}
