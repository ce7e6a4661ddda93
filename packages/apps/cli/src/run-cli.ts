import { isatty } from 'node:tty'
import { type Cli, createCli } from './cli.ts'
import type { AnyCommand, ArgumentCount } from './command.ts'
import { configDirectory, readConfigFile } from './config-file.ts'
import { adviceFor, describeFailure, StatusError, UsageError } from './errors.ts'
import type { FlagSet } from './flags/flag.ts'
import { FlagError, HelpRequest, type Parsed, parseFlags, withEnvironment } from './flags/parse-flags.ts'
import { checkGlobals, connectEngine, globalFlags, type GlobalFlags } from './global-flags.ts'
import { writeAll } from './output/write.ts'
import type { Entry } from './registry-entry.ts'
import { findCommand, type Found } from './registry.ts'
import { complain, groupUsage, unknownCommand, unknownSubcommand } from './usage-errors.ts'

const deprecatedShortHelp = 'Flag shorthand -h has been deprecated, use --help\n'

type Environment = Readonly<Record<string, string | undefined>>

/** Runs one command line; resolves with the exit code. */
export async function runCli(argv: readonly string[], env: Environment): Promise<number> {
  try {
    return await dispatch(argv, env)
  } catch (error) {
    return report(error)
  }
}

async function dispatch(argv: readonly string[], env: Environment): Promise<number> {
  const globals = await parseGlobals(argv, env)
  if (typeof globals === 'number') return globals
  const { flags, args } = globals
  checkGlobals(flags)
  if (flags.version) return printVersion()
  const words = argv.slice(0, argv.length - args.length)
  const invocation = { globals: flags, globalWords: words, env }
  if (args.length === 0) return printTopHelp(createCliFor('berth', invocation), 2)
  const found = args[0] === 'help' ? findHelp(args.slice(1)) : findCommand(args)
  if (found === undefined || found.entry.plugin !== undefined) {
    const code = await tryPlugin(found, args, invocation)
    if (code !== undefined) return code
  }
  if (found === undefined) return unknownCommand(args)
  return runFound(found, invocation)
}

async function parseGlobals(argv: readonly string[], env: Environment): Promise<Parsed<typeof globalFlags> | number> {
  try {
    return parseFlags(globalFlags, argv, false)
  } catch (error) {
    if (error instanceof HelpRequest) return printTopHelp(createCliFor('berth', plainInvocation(env)))
    if (!(error instanceof FlagError)) throw error
    return complain(error, { usage: 'Usage:  berth [OPTIONS] COMMAND [ARG...]', path: 'berth', flags: globalFlags })
  }
}

function plainInvocation(env: Environment): Invocation {
  return { globals: parseFlags(globalFlags, [], false).flags, globalWords: [], env }
}

/** What stands around a command. */
interface Invocation {
  readonly globals: GlobalFlags
  /** The words before the command. */
  readonly globalWords: readonly string[]
  readonly env: Environment
}

function createCliFor(commandPath: string, { globals, env }: Invocation): Cli {
  const directory = configDirectory(env, globals.config)
  return createCli({
    env,
    globals,
    commandPath,
    configDirectory: directory,
    connect: (config) => connectEngine(globals, env, config),
    readConfig: () => readConfigFile(directory, (text) => writeAll(2, text)),
  })
}

/** Hands over to the plugin of that name, if there is one; resolves with its exit code. */
async function tryPlugin(
  found: Found | undefined,
  args: readonly string[],
  invocation: Invocation,
): Promise<number | undefined> {
  const cli = createCliFor('berth', invocation)
  const { findPlugin } = await import('./plugins/find-plugins.ts')
  const { pluginArguments } = await import('./plugins/plugin-arguments.ts')
  const wanted = pluginArguments(cli, found, args)
  const plugin = wanted === undefined ? undefined : findPlugin(cli, wanted.name)
  if (plugin === undefined || wanted === undefined) return undefined
  const { runPlugin } = await import('./plugins/run-plugin.ts')
  return runPlugin(cli, plugin, [...invocation.globalWords, wanted.name, ...wanted.rest])
}

/** `berth help ps` is `berth ps --help`. */
function findHelp(words: readonly string[]): Found | undefined {
  if (words.length === 0) return { entry: { summary: '' }, path: [], rest: [] }
  const found = findCommand(words)
  return found === undefined ? undefined : { ...found, rest: ['--help'] }
}

async function runFound(found: Found, invocation: Invocation): Promise<number> {
  const { entry, path, rest } = found
  const commandPath = ['berth', ...path].join(' ')
  if (entry.load === undefined && entry.children === undefined && path.length > 0) return refuseMissing(entry, path)
  if (entry.load === undefined) return runGroup(entry, createCliFor(commandPath, invocation), rest)
  const { command } = await entry.load()
  return runCommand(createCliFor(commandPath, invocation), command, rest)
}

function refuseMissing(entry: Entry, path: readonly string[]): never {
  const name = path.join(' ')
  if (entry.plugin === undefined) throw new StatusError(1, `berth: '${name}' is not available yet`)
  throw new StatusError(
    1,
    `berth: '${name}' is ${entry.children ? 'of ' : ''}a plugin that is not installed\n\n` +
      `Put docker-${entry.plugin} into ~/.docker/cli-plugins or /usr/libexec/docker/cli-plugins`,
  )
}

async function runGroup(entry: Entry, cli: Cli, rest: readonly string[]): Promise<number> {
  const path = cli.commandPath
  if (path === 'berth') return printTopHelp(cli)
  const word = rest.find((one) => !one.startsWith('-'))
  if (word !== undefined && entry.plugin !== undefined) refuseMissing(entry, [...path.split(' ').slice(1), word])
  try {
    const [unknown] = parseFlags({}, rest, true).args
    if (unknown !== undefined) return unknownSubcommand(entry, path, unknown)
    return await printGroupHelp(cli, entry, 2)
  } catch (error) {
    if (error instanceof HelpRequest) {
      if (error.short) cli.out(deprecatedShortHelp)
      return printGroupHelp(cli, entry, 1)
    }
    if (error instanceof FlagError) return complain(error, { usage: groupUsage(entry, path), path, flags: {} })
    throw error
  }
}

async function printGroupHelp(cli: Cli, entry: Entry, output: 1 | 2): Promise<number> {
  const { groupHelp } = await import('./help.ts')
  writeAll(output, groupHelp(entry, cli.commandPath))
  return 0
}

async function runCommand(cli: Cli, command: AnyCommand, rest: readonly string[]): Promise<number> {
  try {
    const parsed = parseFlags(withEnvironment(command.flags, cli.env), rest, command.interspersed !== false)
    checkCount(command, cli.commandPath, parsed.args.length)
    return await runHooked(cli, command, parsed)
  } catch (error) {
    if (error instanceof HelpRequest) return printHelp(cli, command, error.short)
    const { usageLine } = await import('./help.ts')
    const usage = usageLine(command, cli.commandPath)
    if (error instanceof FlagError) return complain(error, { usage, path: cli.commandPath, flags: command.flags })
    if (error instanceof UsageError) {
      writeAll(2, `berth: ${error.message}\n\n${usage}\n\nRun '${cli.commandPath} --help' for more information\n`)
      return 1
    }
    throw error
  }
}

/** Runs the command; on a terminal, plugins may then have a hint. */
async function runHooked(cli: Cli, command: AnyCommand, parsed: Parsed<FlagSet>): Promise<number> {
  let failure = ''
  try {
    return (await command.run(cli, parsed)) ?? 0
  } catch (error) {
    failure = describeFailure(error)
    throw error
  } finally {
    if (cli.isTerminal(1) && cli.config.plugins !== undefined) {
      const { runHooks } = await import('./plugins/hooks.ts')
      const flags = Object.keys(command.flags).filter((key) => parsed.changed(key))
      const names = flags.map((key) => command.flags[key]?.name ?? key)
      await runHooks(cli, { path: cli.commandPath.replace(/^berth /, ''), flags: names, error: failure })
    }
  }
}

function checkCount(command: AnyCommand, path: string, given: number): void {
  const { least, most } = command.count
  if (given >= least && given <= most) return
  if (most === 0) throw new UsageError(`'${path}' accepts no arguments`)
  throw new UsageError(`'${path}' requires ${boundsText(command.count, given)}`)
}

/** `at least 1 argument`, `at least 1 and at most 2 arguments`, `2 arguments`. */
function boundsText({ least, most, isOpen }: ArgumentCount, given: number): string {
  if (isOpen === true && given < least) return boundsText({ least, most: Number.POSITIVE_INFINITY }, given)
  const last = most === Number.POSITIVE_INFINITY ? least : most
  const noun = last === 1 ? 'argument' : 'arguments'
  if (least === most) return `${most} ${noun}`
  const bounds = [...(least > 0 ? [`at least ${least}`] : []), ...(last === most ? [`at most ${most}`] : [])]
  return `${bounds.join(' and ')} ${noun}`
}

async function printHelp(cli: Cli, command: AnyCommand, deprecated: boolean): Promise<number> {
  if (deprecated) cli.out(deprecatedShortHelp)
  const { commandHelp } = await import('./help.ts')
  cli.out(commandHelp(command, cli.commandPath, helpWidth()))
  return 0
}

async function printTopHelp(cli: Cli, output: 1 | 2 = 1): Promise<number> {
  const { topHelp } = await import('./help.ts')
  const { describePlugins } = await import('./plugins/describe-plugins.ts')
  const hideLegacy = (cli.env['DOCKER_HIDE_LEGACY_COMMANDS'] ?? '') !== ''
  writeAll(output, topHelp(helpWidth(), await describePlugins(cli), hideLegacy))
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

function report(error: unknown): number {
  const message = describeFailure(error)
  // What to do is for people: programs get docker's words alone.
  const advice = isatty(2) ? adviceFor(error) : ''
  if (message !== '') writeAll(2, `${message}\n${advice}`)
  return error instanceof StatusError ? error.exitCode : 1
}
