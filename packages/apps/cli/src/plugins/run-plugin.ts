import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import type { Cli } from '../cli.ts'
import { currentContext } from '../context/current-context.ts'
import { defaultContextName } from '../context/context-store.ts'
import { environmentHost } from '../global-flags.ts'
import { StatusError } from '../errors.ts'
import type { Plugin } from './find-plugins.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Gives the command line over to a plugin, which then speaks to the engine that we would; resolves with its exit code. */
export async function runPlugin(cli: Cli, plugin: Plugin, args: readonly string[]): Promise<number> {
  const env = pluginEnvironment(cli)
  // In our place: then signals and the terminal are the plugin's own. Not every runtime can.
  const argv = [plugin.path, ...args]
  if (process.execve !== undefined) process.execve(plugin.path, argv, env)
  const child = spawn(plugin.path, args, { stdio: 'inherit', env })
  // The terminal sends it the same signals.
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, () => undefined)
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  const [code, signal] = (await once(child, 'exit').catch((error: unknown) => {
    throw new StatusError(1, `cannot run the plugin ${plugin.path}: ${String(error)}`)
  })) as [number | null, NodeJS.Signals | null]
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal])
}

/** The environment by which a plugin finds our engine, unless a flag on its command line says otherwise. */
export function pluginEnvironment(cli: Cli): Record<string, string> {
  const context = currentContext(cli.contextSources)
  const engine: Environment =
    context === defaultContextName
      ? { DOCKER_HOST: environmentHost(cli.globals, cli.env), DOCKER_CONTEXT: undefined }
      : { DOCKER_HOST: undefined, DOCKER_CONTEXT: context }
  const merged: Environment = {
    ...cli.env,
    ...engine,
    DOCKER_CONFIG: cli.configDirectory,
    DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: 'berth',
  }
  return Object.fromEntries(Object.entries(merged).filter((pair): pair is [string, string] => pair[1] !== undefined))
}
