import { type AuthConfig, encodeAuthConfig } from '@berth/engine-api'
import type { Cli } from '../cli.ts'
import { configDirectory } from '../config-file.ts'
import { Credentials } from './credentials.ts'
import { HelperError } from './helper.ts'
import { serverOf } from './server.ts'

/** The credentials that a command works with. */
export const credentialsOf = (cli: Cli): Credentials =>
  new Credentials({ config: cli.config, directory: configDirectory(cli.env, cli.globals.config), env: cli.env })

/** What a command has warned of. */
const warnings = new WeakMap<Cli, Set<string>>()

/**
 * The credentials for a server; undefined where nobody logged in. Without the helper that is configured there are none:
 * what everybody may have is to be had all the same. `warn` hears of it, once a command.
 */
export async function findCredentials(
  cli: Cli,
  server: string,
  warn: (text: string) => void = (text) => cli.err(text),
): Promise<AuthConfig | undefined> {
  try {
    return await credentialsOf(cli).get(server)
  } catch (error) {
    if (!(error instanceof HelperError)) throw error
    const before = warnings.get(cli) ?? new Set()
    warnings.set(cli, before)
    if (!before.has(error.message)) warn(`WARNING: ${error.message}\n`)
    before.add(error.message)
    return undefined
  }
}

/** `X-Registry-Auth` for the registry of a reference; undefined without credentials. */
export async function registryAuthHeader(cli: Cli, domain: string): Promise<string | undefined> {
  const auth = await findCredentials(cli, serverOf(domain))
  return auth && encodeAuthConfig(auth)
}

/** `X-Registry-Config`: what a build may need, for every registry. */
export async function registryConfigHeader(cli: Cli): Promise<string | undefined> {
  const all = await credentialsOf(cli).all()
  if (Object.keys(all).length === 0) return undefined
  return Buffer.from(JSON.stringify(all)).toString('base64url')
}
