import { codeOf, EngineError, messageOf } from '@berth/base'
import { writeFileSync, rmSync } from 'node:fs'
import { type Config, loadConfig } from './config/config.ts'
import { helpText, type ParsedFlags, parseFlags } from './config/flags.ts'
import { createLogger, type DaemonLogger, logFormat, logLevel } from './logger.ts'
import { takePassedSockets } from './passed-sockets.ts'
import { planPaths } from './paths.ts'
import { engineVersion } from './version.ts'

void main(process.argv.slice(2))

async function main(argv: readonly string[]): Promise<void> {
  try {
    const flags = parseFlags(argv)
    if (flags.asksForHelp) return console.log(helpText())
    if (flags.asksForVersion) return console.log(`Berth version ${engineVersion}`)
    const config = await checkedConfig(flags)
    if (config.get('validate', false)) return console.log('configuration OK')
    await serve(flags, config)
  } catch (error) {
    console.error(error instanceof EngineError ? `berth daemon: ${error.message}` : error)
    process.exitCode = 1
  }
}

/** Throws `invalid` naming what is wrong. Loaded on demand: `--help` needs none of what the check knows. */
async function checkedConfig(flags: ParsedFlags): Promise<Config> {
  const config = loadConfig(flags.values)
  const { checkConfig } = await import('./check-config.ts')
  checkConfig(config)
  return config
}

async function serve(flags: ParsedFlags, config: Config): Promise<void> {
  const directory = workingDirectory()
  const sockets = takePassedSockets(process.env, process.pid)
  // Whoever removes or unmounts the directory that the engine was started in would take it from its threads and programs.
  process.chdir('/')
  const { createDaemon } = await import('./create-daemon.ts')
  const { closeOnExec } = await import('@berth/linux')
  // What a shell or service manager left open is none of the supervisor's, nor of a container's.
  closeOnExec()
  const logger = createLogger(logLevel(config), logFormat(config))
  guard(logger)
  const paths = planPaths(config)
  const stopped = Promise.withResolvers<string>()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopped.resolve(signal))
  const startedMs = performance.now()
  await using daemon = await createDaemon(config, logger, { directory, sockets })
  process.on('SIGHUP', () => void reload(flags, daemon, logger))
  await daemon.listen()
  writeFileSync(paths.pidfile, String(process.pid))
  logger.info({ ms: Math.round(performance.now() - startedMs) }, 'Daemon has completed initialization')
  logger.info({ signal: await stopped.promise }, 'stopping')
  rmSync(paths.pidfile, { force: true })
}

/** `/` where it has been removed. */
function workingDirectory(): string {
  try {
    return process.cwd()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '/'
    throw error
  }
}

async function reload(
  flags: ParsedFlags,
  daemon: { reload(fresh: Config): void },
  logger: DaemonLogger,
): Promise<void> {
  try {
    daemon.reload(await checkedConfig(flags))
  } catch (error) {
    logger.error({ error: messageOf(error) }, 'configuration kept: the new one is wrong')
  }
}

/** A bug in one request must not take the engine down with everybody else's. */
function guard(logger: DaemonLogger): void {
  process.on('uncaughtException', (error) => logger.error({ error }, 'uncaught exception'))
  process.on('unhandledRejection', (error) => logger.error({ error }, 'unhandled rejection'))
}
