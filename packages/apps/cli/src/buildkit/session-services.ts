import { ownValue } from '@berth/base'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  agentsService,
  contentStoresService,
  credentialsService,
  fileSendService,
  fileSyncService,
  type OutputTarget,
  type Secret,
  secretsService,
  type SessionService,
  type SyncedDirectory,
  uploadService,
} from '@berth/buildkit-client'
import type { Cli } from '../cli.ts'
import { findCredentials } from '../credentials/registry-auth.ts'
import { type Agents, startAgents } from './agents.ts'
import type { BuildRequest, SecretSpec } from './build-request.ts'
import type { CacheStores } from './cache-stores.ts'

/** What a session serves, and what has to end with it. */
export interface Served extends Disposable {
  readonly services: readonly SessionService[]
}

export interface SessionParts {
  readonly directories: ReadonlyMap<string, SyncedDirectory>
  readonly upload: AsyncIterable<Uint8Array> | undefined
  readonly targets: ReadonlyMap<number, OutputTarget>
  readonly caches: CacheStores
  /** Hears of what is missing and can be done without. */
  readonly warn: (text: string) => void
}

/** Everything that the engine may ask of us for one build, and nothing else. */
export function sessionServices(
  cli: Cli,
  request: BuildRequest,
  { directories, upload, targets, caches, warn }: SessionParts,
): Served {
  const secrets = new Map(request.secrets.map((spec) => [spec.id, resolveSecret(spec, cli.env)]))
  const agents: Agents | undefined = request.ssh.length === 0 ? undefined : startAgents(request.ssh, cli.env)
  const services = [
    fileSyncService(directories),
    credentialsService((server) => findCredentials(cli, server, warn)),
    ...(secrets.size > 0 ? [secretsService(secrets)] : []),
    ...(agents ? [agentsService(agents.sockets)] : []),
    ...(upload ? [uploadService(upload)] : []),
    ...(targets.size > 0 ? [fileSendService(targets)] : []),
    ...(caches.stores.size > 0 ? [contentStoresService(caches.stores)] : []),
  ]
  return { services, [Symbol.dispose]: () => agents?.[Symbol.dispose]() }
}

const maxSecretBytes = 500 * 1024

/** Without a place, a secret is in the variable of its name, or else in the file of that name. */
function resolveSecret({ id, file, env }: SecretSpec, variables: Cli['env']): Secret {
  if (id === '') throw new Error('secret missing ID')
  const variable = env === '' && file === '' && ownValue(variables, id) !== undefined ? id : env
  if (variable !== '' && file === '') return { value: ownValue(variables, variable) ?? '' }
  const path = file === '' ? join(id) : file
  if (!existsSync(path)) throw new Error(`failed to stat ${path}: stat ${path}: no such file or directory`)
  const { size } = statSync(path)
  if (size > maxSecretBytes) throw new Error(`secret ${id} too big. max size 500KB`)
  return { file: path }
}
