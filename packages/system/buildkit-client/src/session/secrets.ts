import { readFile } from 'node:fs/promises'
import { type GrpcRouter, grpcCode, GrpcError, sessionMethods } from '@berth/buildkit-protocol'
import type { SessionService } from './open-session.ts'

/** Where a secret's value is: a file, or a variable's value. */
export type Secret = { readonly file: string } | { readonly value: string }

/** BuildKit's limit of a secret's size. */
const maxSecretBytes = 500 * 1024

/** Lets the engine read secrets by their ids, when a step mounts them. */
export function secretsService(secrets: ReadonlyMap<string, Secret>): SessionService {
  return (router: GrpcRouter) => {
    router.unary(sessionMethods.secret, async ({ id }) => {
      const secret = secrets.get(id)
      if (secret === undefined) throw new GrpcError(grpcCode.notFound, `secret ${id}: not found`)
      const data = 'file' in secret ? await readFile(secret.file) : Buffer.from(secret.value)
      if (data.length > maxSecretBytes) {
        throw new GrpcError(grpcCode.invalidArgument, `invalid secret size ${data.length}, limit ${maxSecretBytes}`)
      }
      return { data }
    })
    return [sessionMethods.secret.path]
  }
}
