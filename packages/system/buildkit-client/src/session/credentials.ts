import { type GrpcRouter, sessionMethods } from '@berth/buildkit-protocol'
import type { SessionService } from './open-session.ts'

/** What a registry is logged in to with; undefined for nothing. */
export type FindCredentials = (server: string) => Promise<
  | {
      readonly username?: string | undefined
      readonly password?: string | undefined
      readonly identitytoken?: string | undefined
      readonly registrytoken?: string | undefined
    }
  | undefined
>

/** How the engine calls Docker's own registry, and under which name its credentials are kept. */
const hubHost = 'registry-1.docker.io'
const hubServer = 'https://index.docker.io/v1/'

/** Lets the engine ask for the user's credentials, one registry at a time. */
export function credentialsService(find: FindCredentials): SessionService {
  return (router: GrpcRouter) => {
    router.unary(sessionMethods.credentials, async ({ host }) => {
      const found = await find(host === hubHost ? hubServer : host)
      if (found === undefined) return {}
      // Without a name the secret is a refresh token.
      if (found.identitytoken) return { username: '', secret: found.identitytoken }
      return { username: found.username ?? '', secret: found.password ?? '' }
    })
    return [sessionMethods.credentials.path]
  }
}
