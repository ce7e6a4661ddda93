import type { ConfigFile } from '../config-file.ts'
import { defaultContextName } from './context-store.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What decides the context, in this order. */
export interface ContextSources {
  readonly flags: { readonly context: string; readonly host: readonly string[] }
  readonly env: Environment
  readonly config: ConfigFile
}

/** The context in use: --context; none if a host is named; else the environment's, else config.json's. */
export function currentContext({ flags, env, config }: ContextSources): string {
  if (flags.context !== '') return flags.context
  if (flags.host.length > 0 || hostVariable(env) !== undefined) return defaultContextName
  const candidates = [env['BERTH_CONTEXT'], env['DOCKER_CONTEXT'], config.currentContext]
  return candidates.find((name) => name !== undefined && name !== '') ?? defaultContextName
}

/** The variable that names the engine's host, if one is set. */
export function hostVariable(env: Environment): 'BERTH_HOST' | 'DOCKER_HOST' | undefined {
  return (['BERTH_HOST', 'DOCKER_HOST'] as const).find((name) => (env[name] ?? '') !== '')
}
