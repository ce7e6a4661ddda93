/** An answer of the engine with a status of 400 or more. */
export class ApiError extends Error {
  /** The HTTP status. */
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
  }
}

/** Why there is no connection: nobody listens, we may not, or anything else. */
export type ConnectionProblem = 'absent' | 'forbidden' | 'other'

/** The engine could not be reached, or the connection broke before it answered. */
export class ConnectionError extends Error {
  readonly kind: ConnectionProblem

  constructor(message: string, options: { cause?: unknown; kind?: ConnectionProblem } = {}) {
    super(message, options)
    this.name = 'ConnectionError'
    this.kind = options.kind ?? 'other'
  }
}

export function isStatus(error: unknown, status: number): boolean {
  return error instanceof ApiError && error.status === status
}
