import type { AuthConfig } from '@berth/engine-api'
import { grpcCode, GrpcError, sessionMethods } from '@berth/buildkit-protocol'
import type { Session } from './session.ts'

/** How clients call Docker's own registry. */
const hubHost = 'registry-1.docker.io'

/** A secret of the client's; undefined when it has none of that id. */
export async function askSecret({ client }: Session, id: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
  return await unlessAbsent(async () => (await client.call(sessionMethods.secret, { id }, { signal })).data)
}

/** What the client would log in to a registry with; undefined for nothing. */
export async function askCredentials(
  { client }: Session,
  domain: string,
  signal: AbortSignal,
): Promise<AuthConfig | undefined> {
  const host = domain === 'docker.io' ? hubHost : domain
  const found = await unlessAbsent(() => client.call(sessionMethods.credentials, { host }, { signal }))
  if (!found?.secret) return undefined
  // Without a name the secret is a refresh token.
  return found.username === '' ? { identitytoken: found.secret } : { username: found.username, password: found.secret }
}

async function unlessAbsent<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    const isAbsent = error instanceof GrpcError && absent.has(error.code)
    if (isAbsent) return undefined
    throw error
  }
}

const absent: ReadonlySet<number> = new Set([grpcCode.notFound, grpcCode.unimplemented])
