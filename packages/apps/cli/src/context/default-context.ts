import type { Cli } from '../cli.ts'
import { environmentHost } from '../global-flags.ts'
import { type Context, defaultContextName } from './context-store.ts'

export const defaultDescription = 'Current DOCKER_HOST based configuration'

/** The context that no file describes: what flags and environment say. */
export function defaultContext(cli: Cli): Context {
  const Host = environmentHost(cli.globals, cli.env)
  return { Name: defaultContextName, Metadata: {}, Endpoints: { docker: { Host, SkipTLSVerify: false } } }
}

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$/

/** Throws an Error in docker's words for a name that no context can have. */
export function checkContextName(name: string): void {
  if (name === '') throw new Error('context name cannot be empty')
  if (name === defaultContextName) throw new Error('"default" is a reserved context name')
  if (namePattern.test(name)) return
  const pattern = JSON.stringify(namePattern.source)
  throw new Error(`context name ${JSON.stringify(name)} is invalid, names are validated against regexp ${pattern}`)
}
