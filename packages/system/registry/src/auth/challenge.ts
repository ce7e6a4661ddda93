/** What a registry wants to see (RFC 9110, 11.6.1), of the schemes that we speak. */
export type Challenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service: string; readonly scope: string }

const longestHeader = 8192

/** The challenge of a `WWW-Authenticate` header that we can answer; a token is preferred to a password. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  if (header === undefined || header.length > longestHeader) return undefined
  const bearer = /(?:^|,)\s*bearer\s+(.*)$/is.exec(header)
  if (bearer) {
    const { realm, service = '', scope = '' } = parameters(bearer[1] ?? '')
    if (realm !== undefined) return { scheme: 'bearer', realm, service, scope }
  }
  return /(?:^|,)\s*basic(?:\s|,|$)/i.test(header) ? { scheme: 'basic' } : undefined
}

/** `name="value"` or `name=value`, until something else comes. */
function parameters(text: string): Record<string, string | undefined> {
  const found: Record<string, string> = {}
  const pattern = /\s*([a-z_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)/iy
  for (let m = pattern.exec(text); m; m = pattern.exec(text)) {
    const name = (m[1] ?? '').toLowerCase()
    if (['realm', 'service', 'scope'].includes(name)) found[name] ??= (m[2] ?? m[3] ?? '').replaceAll(/\\(.)/g, '$1')
  }
  return found
}
