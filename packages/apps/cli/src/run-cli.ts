import { type Cli, createCli } from './cli.ts'
import type { AnyCommand, ArgumentCount } from './command.ts'
import { configDirectory, readConfigFile } from './config-file.ts'
import { describeFailure, StatusError, UsageError } from './errors.ts'
import { FlagError, HelpRequest, type Parsed, parseFlags } from './flags/parse-flags.ts'
import { checkGlobals, connectEngine, globalFlags, type GlobalFlags } from './global-flags.ts'
import { writeAll } from './output/write.ts'
import { type Entry, findCommand, type Found } from './registry.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The exit code of a command line that cannot be parsed. */
const badFlagsCode = 125

/** Runs one command line; resolves with the exit code. */
export async function runCli(argv: readonly string[], env: Environment): Promise<number> {
  try {
    return await dispatch(argv, env)
  } catch (error) {
    return report(error)
  }
}

async function dispatch(argv: readonly string[], env: Environment): Promise<number> {
  const globals = await parseGlobals(argv)
  if (typeof globals === 'number') return globals
  const { flags, args } = globals
  checkGlobals(flags)
  if (flags.version) return printVersion()
  if (args.length === 0) return printTopHelp()
  const found = args[0] === 'help' ? findHelp(args.slice(1)) : findCommand(args)
  if (found === undefined) return unknownCommand(args)
  return runFound(found, flags, env)
}

async function parseGlobals(argv: readonly string[]): Promise<Parsed<typeof globalFlags> | number> {
  try {
    return parseFlags(globalFlags, argv, false)
  } catch (error) {
    if (error instanceof HelpRequest) return printTopHelp()
    if (!(error instanceof FlagError)) throw error
    return complain(error.message, 'Usage:  berth [OPTIONS] COMMAND [ARG...]', 'berth')
  }
}

/** `berth help ps` is `berth ps --help`. */
function findHelp(words: readonly string[]): Found | undefined {
  if (words.length === 0) return { entry: { summary: '' }, path: [], rest: [] }
  const found = findCommand(words)
  return found === undefined ? undefined : { ...found, rest: ['--help'] }
}

async function runFound(found: Found, globals: GlobalFlags, env: Environment): Promise<number> {
  const { entry, path, rest } = found
  const commandPath = ['berth', ...path].join(' ')
  if (entry.missing === true) throw new StatusError(1, `berth: '${path.join(' ')}' is not available yet`)
  if (entry.load === undefined) return runGroup(entry, commandPath, rest)
  const { command } = await entry.load()
  const directory = configDirectory(env, globals.config)
  const cli = createCli({
    env,
    globals,
    commandPath,
    configDirectory: directory,
    connect: (config) => connectEngine(globals, env, config),
    readConfig: () => readConfigFile(directory, (text) => writeAll(2, text)),
  })
  return runCommand(cli, command, rest)
}

async function runGroup(entry: Entry, path: string, rest: readonly string[]): Promise<number> {
  const { groupHelp, topHelp } = await import('./help.ts')
  if (path === 'berth') {
    writeAll(1, topHelp(helpWidth()))
    return 0
  }
  const unknown = rest.find((word) => !word.startsWith('-'))
  const badFlag = rest.find((word) => word !== '--help' && word !== '-h')
  if (unknown === undefined && badFlag !== undefined)
    return complain(`unknown flag: ${badFlag}`, `Usage:  ${path}`, path)
  if (unknown === undefined) {
    writeAll(rest.length === 0 ? 2 : 1, groupHelp(entry, path))
    return 0
  }
  writeAll(
    2,
    `berth: unknown command: ${path} ${unknown}\n\nUsage:  ${path}\n\nRun '${path} --help' for more information\n`,
  )
  return 1
}

async function runCommand(cli: Cli, command: AnyCommand, rest: readonly string[]): Promise<number> {
  try {
    const parsed = parseFlags(command.flags, rest, command.interspersed !== false)
    checkCount(command, cli.commandPath, parsed.args.length)
    return (await command.run(cli, parsed)) ?? 0
  } catch (error) {
    if (error instanceof HelpRequest) return printHelp(cli, command, error.short)
    const { usageLine } = await import('./help.ts')
    const usage = usageLine(command, cli.commandPath)
    if (error instanceof FlagError) return complain(error.message, usage, cli.commandPath)
    if (error instanceof UsageError) {
      writeAll(2, `berth: ${error.message}\n\n${usage}\n\nRun '${cli.commandPath} --help' for more information\n`)
      return 1
    }
    throw error
  }
}

function checkCount(command: AnyCommand, path: string, given: number): void {
  const { least, most } = command.count
  if (given >= least && given <= most) return
  if (most === 0) throw new UsageError(`'${path}' accepts no arguments`)
  throw new UsageError(`'${path}' requires ${boundsText(command.count)}`)
}

/** `at least 1 argument`, `at least 1 and at most 2 arguments`, `2 arguments`. */
function boundsText({ least, most }: ArgumentCount): string {
  const last = most === Number.POSITIVE_INFINITY ? least : most
  const noun = last === 1 ? 'argument' : 'arguments'
  if (least === most) return `${most} ${noun}`
  const bounds = [...(least > 0 ? [`at least ${least}`] : []), ...(last === most ? [`at most ${most}`] : [])]
  return `${bounds.join(' and ')} ${noun}`
}

async function printHelp(cli: Cli, command: AnyCommand, deprecated: boolean): Promise<number> {
  if (deprecated) cli.out('Flag shorthand -h has been deprecated, use --help\n')
  const { commandHelp } = await import('./help.ts')
  cli.out(commandHelp(command, cli.commandPath, helpWidth()))
  return 0
}

async function printTopHelp(): Promise<number> {
  const { topHelp } = await import('./help.ts')
  writeAll(1, topHelp(helpWidth()))
  return 0
}

async function printVersion(): Promise<number> {
  const { clientVersion } = await import('./client-version.ts')
  writeAll(1, `Berth version ${clientVersion}\n`)
  return 0
}

/** The columns of a help text: the terminal's, or 80. */
function helpWidth(): number {
  return (process.stdout.columns ?? 80) - 1
}

function unknownCommand(args: readonly string[]): number {
  if (args[0] === 'help') throw new StatusError(1, `unknown help topic: ${args.slice(1).join(' ')}`)
  writeAll(2, `berth: unknown command: berth ${args[0]}\n\nRun 'berth --help' for more information\n`)
  return 1
}

function complain(message: string, usage: string, path: string): number {
  writeAll(2, `${message}\n\n${usage}\n\nRun '${path} --help' for more information\n`)
  return badFlagsCode
}

function report(error: unknown): number {
  const message = describeFailure(error)
  if (message !== '') writeAll(2, `${message}\n`)
  return error instanceof StatusError ? error.exitCode : 1
}
