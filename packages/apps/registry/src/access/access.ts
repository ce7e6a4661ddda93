import type { Logger } from '@berth/base'
import { messageOf } from '@berth/base'
import type { IncomingMessage } from 'node:http'
import { readFileSync, statSync } from 'node:fs'
import { RegistryError } from '../http/errors.ts'
import { parseHtpasswd } from './htpasswd.ts'
import { PasswordChecks } from './password-checks.ts'

export interface AccessOptions {
  /** Without it everybody may do everything. */
  readonly htpasswd?: string
  readonly realm: string
  /** Whoever only reads need not say who he is. */
  readonly anonymousPull: boolean
  readonly logger: Logger
}

/** Of a password that nobody has: unknown users take as long to refuse as known ones. */
const nobody = '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy'

/** Who may come in. The password file is read again when it has changed. */
export interface Access extends AsyncDisposable {
  /** The user, or undefined for anybody; throws `UNAUTHORIZED`. */
  admit(request: IncomingMessage): Promise<string | undefined>
}

export function openAccess({ htpasswd, realm, anonymousPull, logger }: AccessOptions): Access {
  if (htpasswd === undefined) return { admit: async () => undefined, async [Symbol.asyncDispose]() {} }
  const checks = new PasswordChecks()
  const users = followFile(htpasswd, logger)
  const challenge = (message: string) =>
    new RegistryError(401, 'UNAUTHORIZED', message, { headers: { 'WWW-Authenticate': `Basic realm="${realm}"` } })
  return {
    async admit(request) {
      const given = credentials(request.headers.authorization)
      if (!given) {
        if (anonymousPull && (request.method === 'GET' || request.method === 'HEAD')) return undefined
        throw challenge('authentication required')
      }
      const hash = users().get(given.user)
      const isRight = await checks.isRight(given.user, given.password, hash ?? nobody)
      if (!isRight || hash === undefined) throw challenge('incorrect username or password')
      return given.user
    },
    [Symbol.asyncDispose]: () => checks[Symbol.asyncDispose](),
  }
}

function credentials(header: string | undefined): { user: string; password: string } | undefined {
  const m = /^basic ([A-Za-z0-9+/=_-]{1,4096})$/i.exec(header ?? '')
  const text = Buffer.from(m?.[1] ?? '', 'base64').toString()
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** The users of the file, as it is at each call; one that is broken meanwhile leaves the last that was right. */
function followFile(path: string, logger: Logger): () => ReadonlyMap<string, string> {
  let readMs = statSync(path).mtimeMs
  let users = parseHtpasswd(readFileSync(path, 'utf8'), path)
  return () => {
    try {
      const { mtimeMs } = statSync(path)
      if (mtimeMs === readMs) return users
      readMs = mtimeMs
      users = parseHtpasswd(readFileSync(path, 'utf8'), path)
      logger.info({ path, users: users.size }, 'passwords read again')
    } catch (error) {
      logger.error({ path, error: messageOf(error) }, 'passwords kept: the file is wrong')
    }
    return users
  }
}
