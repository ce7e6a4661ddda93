import type { Config } from './config/config.ts'
import type { RuntimeEntry } from './config/values.ts'

/** OCI runtimes as the configuration names them. */
export function runtimeSettings(config: Config) {
  const entries = Object.entries(config.get('runtimes', {} as Readonly<Record<string, RuntimeEntry>>))
  const runtimes = Object.fromEntries(
    entries.map(([name, { path, runtimeArgs = [] }]) => [name, { path, args: runtimeArgs }]),
  )
  return { runtimes, ...(config.has('default-runtime') ? { defaultRuntime: config.get('default-runtime', '') } : {}) }
}
