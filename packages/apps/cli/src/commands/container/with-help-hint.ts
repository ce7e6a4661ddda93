import type { Cli } from '../../cli.ts'
import { describeFailure, StatusError } from '../../errors.ts'

/** Fails as run does: the program's name, the message, and where to find help. */
export function hinted(cli: Cli, exitCode: number, error: unknown): StatusError {
  return new StatusError(
    exitCode,
    `berth: ${describeFailure(error)}\n\nRun '${cli.commandPath} --help' for more information`,
  )
}

/** The exit code of what fails before a container runs. */
export const notStartedCode = 125

/** Runs a parser of options; its failures get the hint. */
export function parseOrHint<T>(cli: Cli, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw hinted(cli, notStartedCode, error)
  }
}
