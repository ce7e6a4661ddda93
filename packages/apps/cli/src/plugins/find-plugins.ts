import { accessSync, constants, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfigFile } from '../config-file.ts'

/** An executable `docker-NAME` in one of the places where docker keeps its plugins. */
export interface Plugin {
  readonly name: string
  readonly path: string
}

export interface PluginPlaces {
  readonly configDirectory: string
  readonly config: ConfigFile
}

const systemDirectories = [
  '/usr/local/lib/docker/cli-plugins',
  '/usr/local/libexec/docker/cli-plugins',
  '/usr/lib/docker/cli-plugins',
  '/usr/libexec/docker/cli-plugins',
]

const prefix = 'docker-'
const namePattern = /^[a-z][a-z0-9]*$/

/** The plugin of that name, from the first directory that has it. */
export function findPlugin(places: PluginPlaces, name: string): Plugin | undefined {
  if (!namePattern.test(name)) return undefined
  const paths = pluginDirectories(places).map((directory) => join(directory, prefix + name))
  const path = paths.find(isExecutable)
  return path === undefined ? undefined : { name, path }
}

/** Every plugin, by name. */
export function listPlugins(places: PluginPlaces): Plugin[] {
  const names = pluginDirectories(places)
    .flatMap(fileNames)
    .filter((file) => file.startsWith(prefix))
  const plugins = [...new Set(names)].toSorted().map((file) => findPlugin(places, file.slice(prefix.length)))
  return plugins.filter((plugin) => plugin !== undefined)
}

function pluginDirectories({ configDirectory, config }: PluginPlaces): string[] {
  return [...(config.cliPluginsExtraDirs ?? []), join(configDirectory, 'cli-plugins'), ...systemDirectories]
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function fileNames(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
