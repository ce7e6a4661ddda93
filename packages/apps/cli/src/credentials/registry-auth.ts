import { encodeAuthConfig } from '@berth/engine-api'
import type { Cli } from '../cli.ts'
import { configDirectory } from '../config-file.ts'
import { Credentials } from './credentials.ts'
import { HelperError } from './helper.ts'
import { serverOf } from './server.ts'

/** The credentials that a command works with. */
export const credentialsOf = (cli: Cli): Credentials =>
  new Credentials({ config: cli.config, directory: configDirectory(cli.env, cli.globals.config), env: cli.env })

/**
 * `X-Registry-Auth` for the registry of a reference; undefined for a registry that nobody logged in to. Without the helper
 * that is configured there are no credentials: what everybody may have is to be had all the same.
 */
export async function registryAuthHeader(cli: Cli, domain: string): Promise<string | undefined> {
  try {
    const auth = await credentialsOf(cli).get(serverOf(domain))
    return auth && encodeAuthConfig(auth)
  } catch (error) {
    if (!(error instanceof HelperError)) throw error
    cli.err(`WARNING: ${error.message}\n`)
    return undefined
  }
}

/** `X-Registry-Config`: what a build may need, for every registry. */
export async function registryConfigHeader(cli: Cli): Promise<string | undefined> {
  const all = await credentialsOf(cli).all()
  if (Object.keys(all).length === 0) return undefined
  return Buffer.from(JSON.stringify(all)).toString('base64url')
}
