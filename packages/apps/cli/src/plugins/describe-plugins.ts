import type { Cli } from '../cli.ts'
import { listPlugins } from './find-plugins.ts'
import { type PluginMetadata, readMetadata } from './plugin-metadata.ts'

export interface DescribedPlugin extends PluginMetadata {
  readonly Name: string
  readonly Path: string
}

/** What every installed plugin says of itself, by name; what is none is left out. */
export async function describePlugins(cli: Cli): Promise<DescribedPlugin[]> {
  const described = await Promise.all(
    listPlugins(cli).map(async (plugin) => {
      const metadata = await readMetadata(plugin)
      return metadata === undefined ? [] : [{ ...metadata, Name: plugin.name, Path: plugin.path }]
    }),
  )
  return described.flat()
}
