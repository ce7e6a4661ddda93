const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export interface EnvInput {
  readonly hostname: string
  readonly terminal: boolean
  /** Of linked containers. */
  readonly linked?: readonly string[]
  /** Image's and user's, merged: `NAME=value`; a bare `NAME` removes the default of that name. */
  readonly own: readonly string[]
  /** Set where nothing else sets it. */
  readonly home: string
}

/** The environment of a container's first process, in Docker's order. */
export function composeEnv(input: EnvInput): string[] {
  const defaults = [`PATH=${defaultPath}`, `HOSTNAME=${input.hostname}`]
  if (input.terminal) defaults.push('TERM=xterm')
  const env = replaceEnv([...defaults, ...(input.linked ?? [])], input.own)
  return env.some((entry) => entry.startsWith('HOME=')) ? env : [...env, `HOME=${input.home}`]
}

/** `overrides` take the places of the same names in `base`; new ones follow; a bare name removes. */
export function replaceEnv(base: readonly string[], overrides: readonly string[]): string[] {
  const byName = new Map<string, string>()
  for (const entry of base) byName.set(nameOf(entry), entry)
  for (const entry of overrides) {
    if (entry.includes('=')) byName.set(nameOf(entry), entry)
    else byName.delete(entry)
  }
  return [...byName.values()]
}

const nameOf = (entry: string): string => entry.split('=', 1)[0] ?? ''
