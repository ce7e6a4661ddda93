import { accessSync, constants } from 'node:fs'
import { basename, delimiter, isAbsolute, join } from 'node:path'
import { invalid } from '@berth/base'
import type { RuntimeCommand } from '../protocol/messages.ts'
import type { RuntimesOptions } from '../runtime.ts'

export interface Runtimes {
  readonly commands: Readonly<Record<string, RuntimeCommand>>
  readonly defaultName: string
}

const known = ['crun', 'runc']

/** The OCI runtimes: those configured, and crun and runc where the search path has them; the default first. */
export function findRuntimes({ runtimes = {}, defaultRuntime }: RuntimesOptions): Runtimes {
  const found = known.flatMap((name): [string, RuntimeCommand][] => {
    const path = findExecutable(name)
    return path === undefined ? [] : [[name, { path, args: [] }]]
  })
  const configured = Object.entries(runtimes).map(([name, { path, args = [] }]): [string, RuntimeCommand] => [
    name,
    { path: findExecutable(path) ?? path, args },
  ])
  const commands = Object.fromEntries([...found, ...configured])
  const defaultName = defaultRuntime ?? Object.keys(commands)[0] ?? 'crun'
  if (defaultRuntime !== undefined && !Object.hasOwn(commands, defaultRuntime)) {
    throw invalid(`specified default runtime '${defaultRuntime}' does not exist`)
  }
  const { [defaultName]: first, ...others } = commands
  return { commands: first ? { [defaultName]: first, ...others } : others, defaultName }
}

/** The command of a name; refuses an unknown one in Docker's words. */
export function runtimeCommand({ commands, defaultName }: Runtimes, name: string | undefined): RuntimeCommand {
  const wanted = name || defaultName
  const command = Object.hasOwn(commands, wanted) ? commands[wanted] : undefined
  if (!command) throw invalid(`unknown or invalid runtime name: ${wanted}`)
  return command
}

/**
 * Whether a command is crun and nothing else. An exec's process may be given to it by a pipe: it reads it once, and last of
 * all that it reads; and it moves the process into no cgroup when its state names none. Wrappers and other runtimes may look
 * at the files themselves, or leave it all to another process of theirs.
 */
export const isPlainCrun = ({ path, args }: RuntimeCommand): boolean => basename(path) === 'crun' && args.length === 0

/** A program by its absolute path, whether it is there or not, or by its name where programs are. */
export function findExecutable(name: string): string | undefined {
  if (isAbsolute(name)) return name
  const directories = (process.env['PATH'] ?? '').split(delimiter)
  const usual = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
  return [...directories, ...usual]
    .filter(isAbsolute)
    .map((directory) => join(directory, name))
    .find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
