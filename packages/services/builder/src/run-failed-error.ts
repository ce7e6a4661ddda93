import { EngineError } from '@berth/base'

/** A RUN that ended with a status of its own. */
export class RunFailedError extends EngineError {
  readonly exitCode: number
  readonly command: string

  constructor(command: string, exitCode: number) {
    super('invalid', `The command '${command}' returned a non-zero code: ${exitCode}`)
    this.exitCode = exitCode
    this.command = command
  }
}
