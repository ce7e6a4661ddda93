import type { FlagSet } from './flags/flag.ts'
import type { Parsed } from './flags/parse-flags.ts'
import type { Cli } from './cli.ts'

/** How many arguments a command takes. */
export interface ArgumentCount {
  readonly least: number
  readonly most: number
  /** Docker's command has no upper bound, and ignores what is above ours. */
  readonly isOpen?: boolean
}
export const noArguments: ArgumentCount = { least: 0, most: 0 }
export const exactly = (count: number): ArgumentCount => ({ least: count, most: count })
export const atLeast = (least: number, most = Number.POSITIVE_INFINITY): ArgumentCount => ({
  least,
  most,
  isOpen: true,
})
export const between = (least: number, most: number): ArgumentCount => ({ least, most })

/** A command that runs. One module exports one, as `command`. */
export interface Command<F extends FlagSet = FlagSet> {
  /** What follows the command's name in the usage line. */
  readonly usage: string
  readonly summary: string
  /** What the help says after the summary. */
  readonly details?: string
  /** Every path that leads to the command, if there are several. */
  readonly aliases?: readonly string[]
  readonly flags: F
  readonly count: ArgumentCount
  /** False: what follows the first argument belongs to another program. */
  readonly interspersed?: boolean
  /** Failures that are not the flags' give this exit code, and the message is prefixed and hints at the help. */
  readonly failureCode?: number
  /** Resolves with the exit code, 0 if none. */
  run(cli: Cli, parsed: Parsed<F>): Promise<number | void>
}

/** A command whose flags are known only to itself. */
export interface AnyCommand extends Omit<Command, 'run'> {
  run(cli: Cli, parsed: Parsed<FlagSet>): Promise<number | void>
}

export function defineCommand<F extends FlagSet>(command: Command<F>): AnyCommand {
  return command as unknown as AnyCommand
}
