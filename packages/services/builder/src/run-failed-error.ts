import { EngineError } from '@berth/base'

/** A RUN that ended with a status of its own. */
export class RunFailedError extends EngineError {
  readonly exitCode: number

  constructor(command: string, exitCode: number) {
    super('invalid', `The command '${command}' returned a non-zero code: ${exitCode}`)
    this.exitCode = exitCode
  }
}
