import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Cli } from '../cli.ts'
import { findPlugin } from './find-plugins.ts'

/** What a command looked like, and how it ended: the protocol of `docker-cli-plugin-hooks`. */
export interface HookCommand {
  /** `image ls`. */
  readonly path: string
  /** Names of the flags that were given, without their values. */
  readonly flags: readonly string[]
  readonly error: string
}

const timeoutMs = 3000

/** Prints what plugins have to say after a command: those that config.json names for it, on a terminal only. */
export async function runHooks(cli: Cli, command: HookCommand): Promise<void> {
  if (!cli.isTerminal(1) || (cli.env['DOCKER_CLI_HOOKS'] ?? '') === 'false') return
  const wanted = Object.entries(cli.config.plugins ?? {}).filter(([, settings]) => matches(settings, command))
  const hints = await Promise.all(wanted.map(([name]) => askHook(cli, name, command)))
  const lines = hints.filter((hint) => hint !== undefined)
  if (lines.length > 0) cli.err(`\n\u001B[1mWhat's next:\u001B[0m\n${lines.map((line) => `    ${line}\n`).join('')}`)
}

function matches(settings: Readonly<Record<string, string>>, { path, error }: HookCommand): boolean {
  const names = [settings['hooks'] ?? '', error === '' ? '' : (settings['error-hooks'] ?? '')].join(',').split(',')
  return names.some((name) => name.trim() !== '' && (path === name.trim() || path.startsWith(`${name.trim()} `)))
}

async function askHook(cli: Cli, name: string, { path, flags, error }: HookCommand): Promise<string | undefined> {
  const plugin = findPlugin(cli, name)
  if (plugin === undefined) return undefined
  const request = { RootCmd: path, Flags: Object.fromEntries(flags.map((flag) => [flag, ''])), CommandError: error }
  try {
    const args = [name, 'docker-cli-plugin-hooks', JSON.stringify(request)]
    const { stdout } = await promisify(execFile)(plugin.path, args, { timeout: timeoutMs })
    const { Type, Template } = JSON.parse(stdout) as { Type?: number; Template?: string }
    // Templates name flags and arguments of the command, which are not ours to fill in: plain text only.
    return Type === 0 && Template !== undefined && !Template.includes('{{') ? Template : undefined
  } catch {
    return undefined
  }
}
