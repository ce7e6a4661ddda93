import { messageOf } from '@berth/base'
import { ApiError, ConnectionError } from '@berth/engine-client'

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

/** What a user can do about an engine that cannot be reached, in a line of its own; empty for other failures. */
export function adviceFor(error: unknown): string {
  if (!(error instanceof ConnectionError)) return ''
  switch (error.kind) {
    case 'absent':
      return '\nStart it with `sudo berth daemon`, or choose another engine: `berth context ls`, -H. More: `berth doctor`\n'
    case 'forbidden':
      return '\nRun the command as root, or join the group that owns the socket\n'
    case 'other':
      return '\n`berth doctor` may know more\n'
  }
}
