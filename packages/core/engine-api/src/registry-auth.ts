/** What a client gives an engine to talk to a registry with: the JSON of `X-Registry-Auth` and of `POST /auth`. */
export interface AuthConfig {
  readonly username?: string
  readonly password?: string
  /** Base64 of `username:password`, as config.json has it. */
  readonly auth?: string
  readonly email?: string
  readonly serveraddress?: string
  /** A refresh token of the registry's token server. */
  readonly identitytoken?: string
  /** A token that the registry takes as it is. */
  readonly registrytoken?: string
}

const fields = ['username', 'password', 'auth', 'email', 'serveraddress', 'identitytoken', 'registrytoken'] as const

/** The header's value: URL-safe base64 of the JSON. */
export const encodeAuthConfig = (auth: AuthConfig): string => Buffer.from(JSON.stringify(auth)).toString('base64url')

/** Decodes `X-Registry-Auth`; what is damaged counts as none, as Docker has it. */
export function decodeAuthConfig(header: string | undefined): AuthConfig {
  return toAuthConfig(decodeHeader(header))
}

/** Decodes `X-Registry-Config`: registry to what is used there. */
export function decodeAuthConfigs(header: string | undefined): ReadonlyMap<string, AuthConfig> {
  const document = decodeHeader(header)
  if (typeof document !== 'object' || document === null) return new Map()
  return new Map(Object.entries(document).map(([registry, auth]) => [registry, toAuthConfig(auth)]))
}

/** The known members of `value` that are strings; a pair in `auth` fills what is missing. */
export function toAuthConfig(value: unknown): AuthConfig {
  if (typeof value !== 'object' || value === null) return {}
  const given = new Map(Object.entries(value).map(([name, member]) => [name.toLowerCase(), member as unknown]))
  const found = Object.fromEntries(
    fields.flatMap((name) =>
      typeof given.get(name) === 'string' && given.get(name) !== '' ? [[name, given.get(name)]] : [],
    ),
  ) as AuthConfig
  return found.auth !== undefined && found.username === undefined ? { ...found, ...splitPair(found.auth) } : found
}

function splitPair(auth: string): Pick<AuthConfig, 'username' | 'password'> {
  const text = Buffer.from(auth, 'base64').toString()
  const colon = text.indexOf(':')
  return colon > 0 ? { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/(?<!\0)\0+$/, '') } : {}
}

function decodeHeader(header: string | undefined): unknown {
  if (!header) return undefined
  try {
    return JSON.parse(Buffer.from(header, 'base64url').toString())
  } catch {
    return undefined
  }
}
