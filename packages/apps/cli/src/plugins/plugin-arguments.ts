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
  // What builds: `build`, `image build`, `builder ...`. DOCKER_BUILDKIT=0 asks for the engine itself.
  if (cli.env['DOCKER_BUILDKIT'] === '0') return undefined
  const name = cli.config.aliases?.['builder'] ?? plugin
  return { name, rest: first === 'builder' ? rest : ['build', ...found.rest] }
}
