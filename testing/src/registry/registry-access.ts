import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type Answer, errorAnswer, jsonAnswer } from './deliver.ts'

/** Who may come in, and how he shows it. */
export type RegistryAuth =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | {
      readonly kind: 'token'
      readonly username?: string
      readonly password?: string
      /** Where tokens are to be had; default: `/token` of this registry. */
      readonly realm?: string
      readonly service?: string
      /** Nobody need say who he is to pull. */
      readonly anonymousPull?: boolean
      /** How long a token is good; default 300. */
      readonly tokenSeconds?: number
    }

interface Token {
  readonly scopes: ReadonlySet<string>
  readonly untilMs: number
}

/** Tokens and passwords of one registry. */
export class RegistryAccess {
  readonly #auth: RegistryAuth | undefined
  readonly #tokens = new Map<string, Token>()
  readonly #refreshTokens = new Set<string>()

  constructor(auth: RegistryAuth | undefined) {
    this.#auth = auth
  }

  /** Undefined: let in. `scope` is `repository:NAME:pull`, or empty. */
  refusal(request: IncomingMessage, scope: string, origin: string): Answer | undefined {
    const auth = this.#auth
    if (!auth) return undefined
    const { authorization } = request.headers
    if (auth.kind === 'basic') {
      if (authorization === basic(auth)) return undefined
      return challenge('Basic realm="hostile registry"')
    }
    const token = this.#tokens.get(authorization?.replace(/^Bearer /, '') ?? '')
    const isCurrent = token !== undefined && token.untilMs > Date.now()
    if (isCurrent && (scope === '' || token.scopes.has(scope))) return undefined
    const realm = auth.realm ?? `${origin}/token`
    const asked = scope === '' ? '' : `,scope="${scope}"`
    const why = isCurrent ? ',error="insufficient_scope"' : ''
    return challenge(`Bearer realm="${realm}",service="${auth.service ?? 'hostile'}"${asked}${why}`)
  }

  /** What the realm answers: GET with basic credentials or none, POST with a password or a refresh token. */
  token(request: IncomingMessage, query: URLSearchParams, form: URLSearchParams): Answer {
    const auth = this.#auth
    if (auth?.kind !== 'token') return errorAnswer(404, 'UNKNOWN')
    const { authorization } = request.headers
    const given = authorization !== undefined || form.has('username') || form.has('refresh_token')
    const isKnown =
      authorization === basic(auth) ||
      (form.get('username') === auth.username && form.get('password') === auth.password) ||
      this.#refreshTokens.has(form.get('refresh_token') ?? '')
    if (given && !isKnown) return errorAnswer(401, 'UNAUTHORIZED', 'incorrect username or password')
    const asked = [...query.getAll('scope'), ...form.getAll('scope')].flatMap((text) => text.split(' '))
    return this.#issue(auth, isKnown ? asked.flatMap(actions) : auth.anonymousPull ? asked.flatMap(pulls) : [], isKnown)
  }

  #issue(auth: RegistryAuth & { kind: 'token' }, scopes: readonly string[], isKnown: boolean): Answer {
    const seconds = auth.tokenSeconds ?? 300
    const text = randomBytes(16).toString('hex')
    this.#tokens.set(text, { scopes: new Set(scopes), untilMs: Date.now() + seconds * 1000 })
    const refresh = randomBytes(16).toString('hex')
    if (isKnown) this.#refreshTokens.add(refresh)
    const document = { token: text, access_token: text, expires_in: seconds, issued_at: new Date().toISOString() }
    return jsonAnswer(200, isKnown ? { ...document, refresh_token: refresh } : document)
  }
}

const challenge = (header: string): Answer => ({
  ...errorAnswer(401, 'UNAUTHORIZED', 'authentication required'),
  headers: { 'Content-Type': 'application/json', 'WWW-Authenticate': header },
})

const basic = ({ username = '', password = '' }: { username?: string; password?: string }): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

/** `repository:a:pull,push` names two things that may be done. */
function actions(scope: string): string[] {
  const [, head = '', list = ''] = /^(.*):([^:]*)$/.exec(scope) ?? []
  return list.split(',').map((action) => `${head}:${action}`)
}

const pulls = (scope: string): string[] => actions(scope).filter((action) => action.endsWith(':pull'))
