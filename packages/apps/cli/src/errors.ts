import { messageOf } from '@berth/base'
import { ApiError } from '@berth/engine-client'

/** Ends the command with an exit code and, if there is one, a message on standard error. */
export class StatusError extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message = '') {
    super(message)
    this.name = 'StatusError'
    this.exitCode = exitCode
  }
}

/** The command line was parsed but makes no sense: exit code 1, and a hint at the command's help. */
export class UsageError extends Error {}

/** The message that a failure is told by. */
export function describeFailure(error: unknown): string {
  return error instanceof ApiError ? `Error response from daemon: ${error.message}` : messageOf(error)
}
