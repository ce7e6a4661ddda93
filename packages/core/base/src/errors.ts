/** The kinds of failure a user can cause or must hear of; each maps to one HTTP status (`httpStatus`). */
export type ErrorKind =
  | 'invalid'
  | 'unauthorized'
  | 'forbidden'
  | 'notFound'
  | 'conflict'
  | 'notModified'
  | 'tooManyRequests'
  | 'notImplemented'
  | 'unavailable'
  | 'internal'

const statusOf: Record<ErrorKind, number> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  notFound: 404,
  conflict: 409,
  notModified: 304,
  tooManyRequests: 429,
  notImplemented: 501,
  unavailable: 503,
  internal: 500,
}

/** What a user can cause, with a message fit for the user. Bugs are plain `Error`s. */
export class EngineError extends Error {
  readonly kind: ErrorKind

  constructor(kind: ErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'EngineError'
    this.kind = kind
  }
}

type Factory = (message: string, cause?: unknown) => EngineError

const factory =
  (kind: ErrorKind): Factory =>
  (message, cause) =>
    new EngineError(kind, message, cause === undefined ? undefined : { cause })

export const invalid = factory('invalid')
export const unauthorized = factory('unauthorized')
export const forbidden = factory('forbidden')
export const notFound = factory('notFound')
export const conflict = factory('conflict')
export const notModified = factory('notModified')
export const tooManyRequests = factory('tooManyRequests')
export const notImplemented = factory('notImplemented')
export const unavailable = factory('unavailable')
export const internal = factory('internal')

/** The HTTP status of any thrown value: 500 for what is not an `EngineError`. */
export function httpStatus(error: unknown): number {
  return error instanceof EngineError ? statusOf[error.kind] : 500
}

export function isKind(error: unknown, kind: ErrorKind): boolean {
  return error instanceof EngineError && error.kind === kind
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The `code` of a Node or Linux error (`ENOENT`, ...), or undefined. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

/** Whether a write failed for want of space on the disk (write(2): ENOSPC, EDQUOT); also as another error's cause. */
export function isDiskFull(error: unknown): boolean {
  const { cause } = (error ?? {}) as { readonly cause?: unknown }
  return [error, cause].some((one) => ['ENOSPC', 'EDQUOT'].includes(codeOf(one) ?? ''))
}
