/** What a registry wants to see (RFC 9110, 11.6.1), of the schemes that we speak. */
export type Challenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service: string; readonly scope: string }

const longestHeader = 8192

/** The challenge of a `WWW-Authenticate` header that we can answer; a token is preferred to a password. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  if (header === undefined || header.length > longestHeader) return undefined
  const { realm, service = '', scope = '' } = bearerParameters(header)
  if (realm !== undefined) return { scheme: 'bearer', realm, service, scope }
  return /(?:^|,)\s*basic(?:\s|,|$)/i.test(header) ? { scheme: 'basic' } : undefined
}

/** Why a token was of no use (RFC 6750, 3.1). Registries say so of repositories too that there are not. */
export interface TokenRefusal {
  readonly error: 'invalid_token' | 'insufficient_scope'
  readonly description: string
}

export function parseTokenRefusal(header: string | undefined): TokenRefusal | undefined {
  if (header === undefined || header.length > longestHeader) return undefined
  const { error, error_description: description = '' } = bearerParameters(header)
  return error === 'invalid_token' || error === 'insufficient_scope' ? { error, description } : undefined
}

type Parameter = 'realm' | 'service' | 'scope' | 'error' | 'error_description'

const isParameter = (name: string): name is Parameter => /^(?:realm|service|scope|error|error_description)$/.test(name)

const bearerParameters = (header: string): Partial<Record<Parameter, string>> =>
  parameters(/(?:^|,)\s*bearer\s+(.*)$/is.exec(header)?.[1] ?? '')

/** `name="value"` or `name=value`, until something else comes. */
function parameters(text: string): Partial<Record<Parameter, string>> {
  const found: Partial<Record<Parameter, string>> = {}
  const pattern = /\s*([a-z_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)/iy
  for (let m = pattern.exec(text); m; m = pattern.exec(text)) {
    const name = (m[1] ?? '').toLowerCase()
    if (isParameter(name)) found[name] ??= (m[2] ?? m[3] ?? '').replaceAll(/\\(.)/g, '$1')
  }
  return found
}
