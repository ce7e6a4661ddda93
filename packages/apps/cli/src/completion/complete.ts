import type { AnyCommand } from '../command.ts'
import type { Cli } from '../cli.ts'
import type { Flag, FlagSet } from '../flags/flag.ts'
import { globalFlags } from '../global-flags.ts'
import type { Entry } from '../registry-entry.ts'
import { findCommand, groups } from '../registry.ts'
import { argumentKind, flagKind } from './kinds.ts'
import { liveNames } from './live-names.ts'

export interface Candidate {
  readonly text: string
  readonly summary: string
}

/** What may stand where the cursor is: words, and whether file names may too. */
export interface Completion {
  readonly candidates: readonly Candidate[]
  readonly files: boolean
}

const nothing: Completion = { candidates: [], files: false }

/** Completes the last of the words, which may be empty; the program's own name is not among them. */
export async function complete(cli: Cli, words: readonly string[]): Promise<Completion> {
  const current = words.at(-1) ?? ''
  const found = await complementOf(cli, words.slice(0, -1), current)
  const matching = found.candidates.filter(({ text }) => text.startsWith(current))
  return { candidates: matching, files: found.files }
}

async function complementOf(cli: Cli, before: readonly string[], current: string): Promise<Completion> {
  const { rest, pending } = walk(globalFlags, before, false)
  if (pending !== undefined) return flagValues(cli, pending, '')
  if (rest.length === 0) return current.startsWith('-') ? listFlags(globalFlags, current) : topCommands()
  const found = findCommand(rest)
  if (found === undefined) return nothing
  const { entry, path } = found
  if (entry.load === undefined) return found.rest.length === 0 ? subcommands(entry) : nothing
  const { command } = await entry.load()
  return completeCommand(cli, command, { path: path.join(' '), words: found.rest, current })
}

interface CommandLine {
  readonly path: string
  /** After the command, before the cursor. */
  readonly words: readonly string[]
  readonly current: string
}

function completeCommand(cli: Cli, command: AnyCommand, line: CommandLine): Promise<Completion> | Completion {
  const { flags, usage, interspersed } = command
  const { rest, pending, ended } = walk(flags, line.words, interspersed !== false)
  if (pending !== undefined) return flagValues(cli, pending, '')
  const open = !ended && (interspersed !== false || rest.length === 0)
  const equals = line.current.indexOf('=')
  if (open && line.current.startsWith('--') && equals > 0) {
    const flag = Object.values(flags).find(({ name }) => name === line.current.slice(2, equals))
    return flag === undefined ? nothing : flagValues(cli, flag, line.current.slice(0, equals + 1))
  }
  if (open && line.current.startsWith('-')) return listFlags(flags, line.current)
  return argumentValues(cli, { usage, path: line.path, taken: rest })
}

interface Walked {
  /** What is no flag. */
  readonly rest: readonly string[]
  /** The flag that waits for its value. */
  readonly pending?: Flag<unknown>
  /** After `--` there are no flags. */
  readonly ended: boolean
}

/** Tells flags with their values from arguments, as the parser does; what is unknown is passed over. */
function walk(set: FlagSet, words: readonly string[], interspersed: boolean): Walked {
  const rest: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '--') return { rest: [...rest, ...words.slice(at + 1)], ended: true }
    if (!word.startsWith('-') || word === '-') {
      if (!interspersed) return { rest: words.slice(at), ended: false }
      rest.push(word)
      continue
    }
    const waiting = waitingFlag(set, word)
    if (waiting === undefined) continue
    if (at === words.length - 1) return { rest, pending: waiting, ended: false }
    at++
  }
  return { rest, ended: false }
}

/** The flag of this word, if its value is the next word. */
function waitingFlag(set: FlagSet, word: string): Flag<unknown> | undefined {
  if (word.includes('=')) return undefined
  const flags = Object.values(set)
  const long = word.startsWith('--')
  const flag = long
    ? flags.find(({ name, also = [] }) => [name, ...also].includes(word.slice(2)))
    : flags.find(({ short }) => short === word.at(-1))
  return flag === undefined || flag.implied !== undefined ? undefined : flag
}

function topCommands(): Completion {
  const entries = groups.flatMap(({ commands }) => Object.entries(commands))
  return { candidates: describe(entries), files: false }
}

function subcommands({ children = {} }: Entry): Completion {
  return { candidates: describe(Object.entries(children)), files: false }
}

function describe(entries: readonly (readonly [string, Entry])[]): Candidate[] {
  const shown = entries.filter(([, { alias, missing }]) => alias !== true && missing !== true)
  return shown.map(([text, { summary }]) => ({ text, summary }))
}

function listFlags(set: FlagSet, current: string): Completion {
  const shown = Object.values(set).filter(({ hidden }) => hidden !== true)
  const long = shown.map(({ name, help }) => ({ text: `--${name}`, summary: firstLine(help) }))
  if (current !== '-') return { candidates: [...long, { text: '--help', summary: 'Show the help' }], files: false }
  const short = shown.flatMap((flag) =>
    flag.short === undefined ? [] : [{ text: `-${flag.short}`, summary: firstLine(flag.help) }],
  )
  return { candidates: [...short, ...long], files: false }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}

async function flagValues(cli: Cli, flag: Flag<unknown>, prefix: string): Promise<Completion> {
  const kind = flagKind(flag.name)
  if (kind === 'file') return { candidates: [], files: true }
  if (kind === undefined) return nothing
  const names = typeof kind === 'string' ? await liveNames(cli, kind) : kind.map((text) => ({ text, summary: '' }))
  return { candidates: names.map(({ text, summary }) => ({ text: prefix + text, summary })), files: false }
}

async function argumentValues(
  cli: Cli,
  { usage, path, taken }: { usage: string; path: string; taken: readonly string[] },
): Promise<Completion> {
  const kind = argumentKind(path, usage, taken.length)
  if (kind === undefined) return nothing
  if (kind === 'file') return { candidates: [], files: true }
  const names = await liveNames(cli, kind)
  return { candidates: names.filter(({ text }) => !taken.includes(text)), files: false }
}
