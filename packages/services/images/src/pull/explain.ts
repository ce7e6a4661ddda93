import { forbidden, internal, notFound, tooManyRequests, unauthorized } from '@berth/base'
import { familiarName, familiarString, type Reference } from '@berth/oci'
import { NoCredentialsError, RegistryError, UnreachedError } from '@berth/registry'

/** What a registry's refusal of `reference` is called: Docker's words, by which clients know it. */
export function explainPull(error: unknown, reference: Reference): unknown {
  if (error instanceof UnreachedError) return internal(error.message, error)
  if (!(error instanceof RegistryError)) return error
  const { message } = error
  switch (error.facts.code) {
    case 'MANIFEST_UNKNOWN':
      return notFound(`manifest for ${familiarString(reference)} not found: ${message}`, error)
    case 'NAME_UNKNOWN':
      return notFound(`repository ${familiarName(reference)} not found: ${message}`, error)
    case 'DENIED':
      return notFound(
        `pull access denied for ${familiarName(reference)}, repository does not exist or may require 'docker login': ${message}`,
        error,
      )
    default:
      return byStatus(error)
  }
}

function byStatus(error: RegistryError): unknown {
  const { message, facts } = error
  if (facts.code === 'DENIED') return forbidden(message, error)
  if (facts.status === 401) return unauthorized(message, error)
  if (facts.status === 403) return forbidden(message, error)
  if (facts.status === 429) return tooManyRequests(`${message}${waitOf(facts.retryAfterMs)}`, error)
  return error
}

const waitOf = (ms: number | undefined): string =>
  ms === undefined ? '' : ` (the registry asks to wait ${Math.ceil(ms / 1000)} s)`

/** For everything but a pull, Docker says what the registry says. */
export function explainAnswer(error: unknown): unknown {
  if (error instanceof UnreachedError) return internal(error.message, error)
  return error instanceof RegistryError ? byStatus(error) : error
}

/** Docker says of a push without credentials what is missing, not what was asked for. */
export function explainPush(error: unknown): unknown {
  return error instanceof NoCredentialsError ? internal(error.reason, error) : explainAnswer(error)
}
