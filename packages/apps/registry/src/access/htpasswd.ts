import { invalid } from '@berth/base'

/** Bcrypt hashes by user, as `htpasswd -B` writes them; throws `invalid` for every other kind. */
export function parseHtpasswd(text: string, path: string): ReadonlyMap<string, string> {
  const users = new Map<string, string>()
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const [user, hash] = [line.slice(0, colon), line.slice(colon + 1)]
    if (colon < 1) throw invalid(`${path}, line ${index + 1}: want USER:HASH`)
    if (!/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/.test(hash)) {
      throw invalid(`${path}, line ${index + 1}: the password of ${user} is not hashed with bcrypt: use htpasswd -B`)
    }
    users.set(user, hash)
  }
  return users
}
