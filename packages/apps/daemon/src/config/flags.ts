import { invalid } from '@berth/base'
import { keyOf, type OptionSpec, optionSpecs } from './options.ts'
import { type OptionValues, parseFlagTexts } from './values.ts'

export interface ParsedFlags {
  readonly values: OptionValues
  readonly asksForHelp: boolean
  readonly asksForVersion: boolean
}

/** dockerd's command line: `--flag=value`, `--flag value`, `-Hvalue`, `-D`; booleans take no separate value. */
export function parseFlags(argv: readonly string[]): ParsedFlags {
  const given = new Map<OptionSpec, string[]>()
  const rest = [...argv]
  let asksForHelp = false
  let asksForVersion = false
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--help' || word === '-h') asksForHelp = true
    else if (word === '--version' || word === '-v') asksForVersion = true
    else readFlag(word, rest, given)
  }
  const values = Object.fromEntries([...given].map(([spec, texts]) => [keyOf(spec), parseFlagTexts(spec, texts)]))
  return { values, asksForHelp, asksForVersion }
}

function readFlag(word: string, rest: string[], given: Map<OptionSpec, string[]>): void {
  const { spec, value } = word.startsWith('--') ? longFlag(word) : shortFlag(word)
  const text = value ?? (spec.kind === 'boolean' ? 'true' : rest.shift())
  if (text === undefined) throw invalid(`flag needs an argument: ${word}`)
  given.set(spec, [...(given.get(spec) ?? []), text])
}

function longFlag(word: string): { spec: OptionSpec; value: string | undefined } {
  const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? []
  const spec = optionSpecs.find(({ flag, isOfFile }) => flag === name && !isOfFile)
  if (!spec) throw invalid(`unknown flag: --${name}`)
  return { spec, value }
}

function shortFlag(word: string): { spec: OptionSpec; value: string | undefined } {
  if (!word.startsWith('-') || word === '-') throw invalid(`"berth daemon" accepts no arguments: ${word}`)
  const spec = optionSpecs.find(({ short }) => short === word[1])
  if (!spec) throw invalid(`unknown shorthand flag: '${word[1]}' in ${word}`)
  const value = word.slice(2).replace(/^=/, '')
  return { spec, value: value === '' ? undefined : value }
}

/** The text of `--help`. */
export function helpText(): string {
  const lines = optionSpecs
    .filter(({ refusal, isOfFile }) => refusal === undefined && !isOfFile)
    .map(({ flag, short, help }) => `  ${short ? `-${short},` : '   '} --${flag.padEnd(24)} ${help}`)
  return [
    '',
    'Usage:  berth daemon [OPTIONS]',
    '',
    'The container engine.',
    '',
    'Options:',
    ...lines.toSorted(),
    '',
  ].join('\n')
}
