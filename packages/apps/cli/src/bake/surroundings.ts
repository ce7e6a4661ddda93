import { parseGoBool } from '@berth/base'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { type ComposeSurroundings, parseDotEnv, type Surroundings } from '@berth/bake'
import { formatPlatform, hostPlatform } from '@berth/oci'

type Environment = Readonly<Record<string, string | undefined>>

/** The values of `--var`. */
export function parseVariables(flags: readonly string[]): Map<string, string> {
  const variables = new Map<string, string>()
  for (const text of flags) {
    if (text === '') continue
    const at = text.indexOf('=')
    if (at === -1) throw new Error(`invalid variable ${JSON.stringify(text)}, expected key=value`)
    if (at === 0) throw new Error(`invalid variable ${JSON.stringify(text)}, key is empty`)
    variables.set(text.slice(0, at), text.slice(at + 1))
  }
  return variables
}

/** What bake files learn from the command line, the environment and this host. */
export function surroundingsOf(env: Environment, variables: ReadonlyMap<string, string>): Surroundings {
  const environment = visibleEnvironment(env)
  return {
    homeFolder: env['HOME'] ?? homedir(),
    now: () => new Date(),
    uuid: () => randomUUID(),
    builtins: new Map([
      ['BAKE_CMD_CONTEXT', 'cwd://'],
      ['BAKE_LOCAL_PLATFORM', formatPlatform(hostPlatform())],
    ]),
    lookup: (name) => variables.get(name) ?? environment(name),
  }
}

/** The environment, unless it says itself that it shall not be used. */
export function visibleEnvironment(env: Environment): (name: string) => string | undefined {
  const isHidden = parseGoBool(env['BUILDX_BAKE_DISABLE_VARS_ENV_LOOKUP'] ?? '') === true
  return (name) => (isHidden || !Object.hasOwn(env, name) ? undefined : env[name])
}

/** What compose files may use: the environment too, what `.env` in the current folder adds, and files of variables. */
export function composeSurroundings(surroundings: Surroundings): ComposeSurroundings {
  let added: ReadonlyMap<string, string> | undefined
  return {
    lookup: (name) => surroundings.lookup(name) ?? (added ??= parseDotEnv(readText('.env') ?? '')).get(name),
    readText,
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EISDIR') return undefined
    throw error
  }
}
