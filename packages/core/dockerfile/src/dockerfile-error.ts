import { EngineError, messageOf } from '@berth/base'

/** Lines of a Dockerfile, the first is 1, both ends included. */
export interface LineRange {
  readonly start: number
  readonly end: number
}

/** What is wrong with a Dockerfile, and where. */
export class DockerfileError extends EngineError {
  readonly lines: LineRange

  constructor(message: string, lines: LineRange, cause?: unknown) {
    super('invalid', message, cause === undefined ? {} : { cause })
    this.lines = lines
  }
}

/** Runs `work`; what it refuses is told with the lines it stands on. */
export function locate<T>(lines: LineRange, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof DockerfileError || !(error instanceof EngineError)) throw error
    throw new DockerfileError(messageOf(error), lines, error)
  }
}
