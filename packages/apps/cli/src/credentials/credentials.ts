import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type AuthConfig, toAuthConfig } from '@berth/engine-api'
import { type ConfigFile, updateConfigFile } from '../config-file.ts'
import { eraseFromHelper, getFromHelper, storeInHelper } from './helper.ts'
import { dropSealed, type SealedFiles, sealedFiles, sealedServers, seal, unseal } from './sealed-file.ts'
import { isSameServer } from './server.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The members of config.json that credentials are found by. */
export interface CredentialConfig extends ConfigFile {
  readonly auths?: Readonly<Record<string, unknown>>
  readonly credsStore?: string
  readonly credHelpers?: Readonly<Record<string, string>>
}

export interface CredentialSource {
  readonly config: CredentialConfig
  /** The folder of config.json. */
  readonly directory: string
  readonly env: Environment
}

/** The user's credentials, wherever they are kept: docker's helpers, docker's config.json, or sealed by us. */
export class Credentials {
  readonly #source: CredentialSource
  readonly #files: SealedFiles

  constructor(source: CredentialSource) {
    this.#source = source
    this.#files = sealedFiles(source.directory, source.env)
  }

  /**
   * Those for a server; undefined without any. What DOCKER_AUTH_CONFIG gives comes first; what docker wrote into
   * config.json before what we sealed. Throws an Error if that variable is malformed.
   */
  async get(server: string): Promise<AuthConfig | undefined> {
    const given = plainAuth(environmentAuths(this.#source.env), server)
    if (given !== undefined) return given
    const helper = this.#helper(server)
    if (helper !== undefined) return getFromHelper(helper, server)
    return plainAuth(this.#source.config.auths ?? {}, server) ?? this.#sealed(server)
  }

  /** Keeps them by the helper that is configured or there, else sealed; config.json never has them. */
  async store(server: string, auth: AuthConfig): Promise<void> {
    const helper = this.#helper(server) ?? this.#detected()
    const entry = auth.email === undefined ? {} : { email: auth.email }
    if (helper === undefined) seal(this.#files, server, { ...auth, serveraddress: server })
    else await storeInHelper(helper, server, auth)
    this.#update((config) => ({
      ...config,
      auths: { ...config.auths, [server]: entry },
      ...(helper !== undefined && this.#helper(server) === undefined && { credsStore: helper }),
    }))
  }

  /** False when there were none. */
  async erase(server: string): Promise<boolean> {
    const helper = this.#helper(server)
    const erased = helper === undefined ? false : await eraseFromHelper(helper, server)
    const dropped = dropSealed(this.#files, server)
    const { auths } = this.#source.config
    const isListed = auths !== undefined && Object.hasOwn(auths, server)
    if (isListed) this.#update((config) => ({ ...config, auths: without(config.auths ?? {}, server) }))
    return erased || dropped || isListed
  }

  /** All that are to be had, by server, as `X-Registry-Config` has them. */
  async all(): Promise<Record<string, AuthConfig>> {
    const { auths = {}, credHelpers = {} } = this.#source.config
    const servers = new Set([
      ...Object.keys(environmentAuths(this.#source.env)),
      ...Object.keys(auths),
      ...Object.keys(credHelpers),
      ...sealedServers(this.#files),
    ])
    const found = await Promise.all(
      [...servers].map(async (server) => [server, await this.get(server).catch(() => undefined)] as const),
    )
    return Object.fromEntries(found.filter((entry): entry is [string, AuthConfig] => entry[1] !== undefined))
  }

  #helper(server: string): string | undefined {
    const { credHelpers = {}, credsStore } = this.#source.config
    const own = Object.hasOwn(credHelpers, server) ? credHelpers[server] : undefined
    return own || credsStore || undefined
  }

  /** docker's choice where nothing is configured and nothing is kept yet. */
  #detected(): string | undefined {
    const { auths = {}, credHelpers = {} } = this.#source.config
    if (Object.keys(auths).length > 0 || Object.keys(credHelpers).length > 0) return undefined
    const name = this.#isProgram('pass') ? 'pass' : 'secretservice'
    return this.#isProgram(`docker-credential-${name}`) ? name : undefined
  }

  #isProgram(name: string): boolean {
    const folders = (this.#source.env['PATH'] ?? '').split(delimiter)
    return folders.some((folder) => folder !== '' && existsSync(join(folder, name)))
  }

  #sealed(server: string): AuthConfig | undefined {
    return unseal(this.#files, server)
  }

  #update(change: (config: CredentialConfig) => object): void {
    updateConfigFile<CredentialConfig>(this.#source.directory, change)
  }
}

const without = (auths: Readonly<Record<string, unknown>>, server: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(auths).filter(([key]) => key !== server))

type Auths = Readonly<Record<string, unknown>>

/** The entry for a server among entries as config.json has them, under whichever name of it. */
function plainAuth(auths: Auths, server: string): AuthConfig | undefined {
  const keys = Object.hasOwn(auths, server) ? [server] : Object.keys(auths)
  for (const key of keys.filter((candidate) => isSameServer(candidate, server))) {
    const auth = toAuthConfig(auths[key])
    if (auth.username !== undefined || auth.identitytoken !== undefined || auth.registrytoken !== undefined) {
      return { ...auth, serveraddress: server }
    }
  }
  return undefined
}

/** DOCKER_AUTH_CONFIG: the `auths` of a config.json for this command alone; never repeated in a message. */
function environmentAuths(env: Environment): Auths {
  const text = env['DOCKER_AUTH_CONFIG'] ?? ''
  if (text === '') return {}
  const { auths } = parseObject(text)
  return typeof auths === 'object' && auths !== null ? (auths as Auths) : {}
}

function parseObject(text: string): { readonly auths?: unknown } {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null) return parsed
  } catch {
    // Its message would quote the text.
  }
  throw new Error('DOCKER_AUTH_CONFIG is not a JSON object with the member "auths"')
}
