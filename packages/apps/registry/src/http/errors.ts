import { codeOf, EngineError, httpStatus, messageOf } from '@berth/base'

/** The codes of the distribution specification (spec.md#error-codes), and 429's. */
export type ErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'TOOMANYREQUESTS'
  | 'UNAUTHORIZED'
  | 'UNKNOWN'
  | 'UNSUPPORTED'

export interface RegistryErrorOptions {
  readonly detail?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

/** What a client is told when its request fails. */
export class RegistryError extends Error {
  readonly status: number
  readonly code: ErrorCode
  readonly detail: unknown
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: ErrorCode, message: string, options: RegistryErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.name = 'RegistryError'
    this.status = status
    this.code = code
    this.detail = options.detail
    this.headers = options.headers ?? {}
  }
}

/** Any thrown value as an answer; what is no user's doing says nothing of the inside. */
export function toRegistryError(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error
  const code = codeOf(error) ?? codeOf((error as Error | undefined)?.cause)
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new RegistryError(507, 'UNKNOWN', 'no space left on the registry’s disk')
  if (error instanceof EngineError && error.kind !== 'internal') {
    return new RegistryError(httpStatus(error), 'UNKNOWN', messageOf(error), { cause: error })
  }
  return new RegistryError(500, 'UNKNOWN', 'internal error: see the registry’s log', { cause: error })
}

export const nameUnknown = (name: string): RegistryError =>
  new RegistryError(404, 'NAME_UNKNOWN', 'repository name not known to registry', { detail: { name } })

export const blobUnknown = (digest: string): RegistryError =>
  new RegistryError(404, 'BLOB_UNKNOWN', 'blob unknown to registry', { detail: { digest } })

export const manifestUnknown = (name: string, reference: string): RegistryError =>
  new RegistryError(404, 'MANIFEST_UNKNOWN', 'manifest unknown', { detail: { name, reference } })

export const uploadUnknown = (): RegistryError =>
  new RegistryError(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry')

export const digestInvalid = (message: string, detail?: unknown): RegistryError =>
  new RegistryError(400, 'DIGEST_INVALID', message, { detail })

export const manifestInvalid = (message: string, detail?: unknown): RegistryError =>
  new RegistryError(400, 'MANIFEST_INVALID', message, { detail })

export const unsupported = (message: string): RegistryError => new RegistryError(405, 'UNSUPPORTED', message)
