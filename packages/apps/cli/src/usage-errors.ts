import { StatusError } from './errors.ts'
import type { FlagSet } from './flags/flag.ts'
import type { FlagError } from './flags/parse-flags.ts'
import { writeAll } from './output/write.ts'
import type { Entry } from './registry-entry.ts'
import { groups } from './registry.ts'
import { suggest } from './suggest.ts'

/** The exit code of a command line that cannot be parsed. */
const badFlagsCode = 125

export interface UsageContext {
  readonly usage: string
  /** `berth ps`. */
  readonly path: string
  /** The flags that there are. */
  readonly flags: FlagSet
}

/** Tells what is wrong with the flags, and what may have been meant; returns the exit code. */
export function complain({ message }: FlagError, { usage, path, flags }: UsageContext): number {
  const hint = flagHint(message, flags)
  writeAll(2, `${message}\n${hint}\n${usage}\n\nRun '${path} --help' for more information\n`)
  return badFlagsCode
}

function flagHint(message: string, flags: FlagSet): string {
  const unknown = /^unknown flag: --(.*)$/.exec(message)?.[1]
  if (unknown === undefined) return ''
  const listed = Object.values(flags).filter(({ hidden }) => hidden !== true)
  const [first, ...more] = suggest(
    unknown,
    listed.map(({ name }) => name),
  )
  if (first === undefined) return ''
  return `Did you mean ${[first, ...more].map((name) => `--${name}`).join(' or ')}?\n`
}

/** For a first word that names nothing. */
export function unknownCommand(args: readonly string[]): number {
  if (args[0] === 'help') throw new StatusError(1, `unknown help topic: ${args.slice(1).join(' ')}`)
  const names = groups.flatMap(({ commands }) => listedNames(commands))
  const hint = commandHint(args[0] ?? '', names)
  writeAll(2, `berth: unknown command: berth ${args[0]}\n${hint}\nRun 'berth --help' for more information\n`)
  return 1
}

/** For a word that names nothing in a group such as `berth network`. */
export function unknownSubcommand(entry: Entry, path: string, word: string): number {
  const hint = commandHint(word, listedNames(entry.children ?? {}))
  const help = `${groupUsage(entry, path)}\n\nRun '${path} --help' for more information\n`
  writeAll(2, `berth: unknown command: ${path} ${word}\n${hint}\n${help}`)
  return 1
}

/** `Usage:  berth network`. */
export function groupUsage({ usage }: Entry, path: string): string {
  return `Usage:  ${path}${usage === undefined ? '' : ` ${usage}`}`
}

function listedNames(entries: Readonly<Record<string, Entry>>): string[] {
  return Object.entries(entries).flatMap(([name, { alias }]) => (alias === true ? [] : [name]))
}

function commandHint(word: string, names: readonly string[]): string {
  const near = suggest(word, names)
  return near.length === 0 ? '' : `\nDid you mean this?\n${near.map((name) => `  ${name}\n`).join('')}`
}
