import type { Cli } from '../cli.ts'
import type { Found } from '../registry.ts'

export interface PluginCall {
  readonly name: string
  readonly rest: readonly string[]
}

/** The plugin that a command line is for: by its name, or because plugins do the building. */
export function pluginArguments(cli: Cli, found: Found | undefined, args: readonly string[]): PluginCall | undefined {
  const [first = '', ...rest] = args
  if (found === undefined) return { name: first, rest }
  const { plugin } = found.entry
  if (plugin === undefined) return undefined
  if (plugin === first) return { name: first, rest }
  // `build`, `image build` and `builder` are ours, unless config.json hands them to a plugin (`docker buildx install`).
  const name = cli.config.aliases?.['builder']
  if (name === undefined || cli.env['DOCKER_BUILDKIT'] === '0') return undefined
  return { name, rest: first === 'builder' ? rest : ['build', ...found.rest] }
}
