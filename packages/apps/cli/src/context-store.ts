import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { StatusError } from './errors.ts'

/** The host of a context that `docker context create` wrote; throws a `StatusError` if there is none. */
export function contextHost(configDirectory: string, name: string): string {
  // Not imported: hashing is needed by no command that names no context.
  const digest = process.getBuiltinModule('node:crypto').createHash('sha256').update(name).digest('hex')
  const path = join(configDirectory, 'contexts', 'meta', digest, 'meta.json')
  try {
    const meta = JSON.parse(readFileSync(path, 'utf8')) as { Endpoints?: { docker?: { Host?: string } } }
    const host = meta.Endpoints?.docker?.Host
    if (host !== undefined && host !== '') return host
  } catch (error) {
    throw new StatusError(
      1,
      `Failed to initialize: unable to resolve berth endpoint: context "${name}": context not found: ${String(error)}`,
    )
  }
  throw new StatusError(1, `Failed to initialize: context "${name}" has no docker endpoint`)
}
