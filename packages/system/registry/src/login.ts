import { unauthorized, unavailable } from '@berth/base'
import type { AuthConfig } from '@berth/engine-api'
import { STATUS_CODES } from 'node:http'
import type { Authorizer } from './auth/authorizer.ts'
import { drop } from './http/transport.ts'
import type { Session } from './session.ts'

export interface LoginResult {
  /** What to keep in the password's place; '' when the registry gives none. */
  readonly identityToken: string
}

/** Asks the registry's `/v2/` with the credentials (distribution spec, "Determining Support"). */
export async function login(
  session: Session,
  authorizer: Authorizer,
  { auth, signal }: { readonly auth: AuthConfig; readonly signal: AbortSignal | undefined },
): Promise<LoginResult> {
  const url = `${session.endpoint.base}/v2/`
  const first = await session.send({ method: 'GET', target: '/v2/', scopes: [], signal })
  await drop(first)
  if (first.status !== 200 && first.status !== 401) {
    throw unavailable(`login attempt to ${url} failed with status: ${statusText(first.status)}`)
  }
  if (first.status === 401) throw unauthorized(`login attempt to ${url} failed with status: ${statusText(401)}`)
  const token = auth.identitytoken ? undefined : await authorizer.login(signal)
  return { identityToken: token?.refreshToken ?? auth.identitytoken ?? '' }
}

const statusText = (status: number): string => `${status} ${STATUS_CODES[status] ?? ''}`.trimEnd()
