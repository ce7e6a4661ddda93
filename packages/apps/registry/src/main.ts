import { EngineError } from '@berth/base'
import { helpText, parseOptions, type Options } from './config/parse-options.ts'
import { createLogger, isLogLevel } from './logger.ts'

void main(process.argv.slice(2))

async function main([verb, ...argv]: readonly string[]): Promise<void> {
  try {
    if (verb !== 'serve' || argv.includes('--help') || argv.includes('-h')) return help(verb)
    await serve(parseOptions(argv))
  } catch (error) {
    console.error(error instanceof EngineError ? `berth registry: ${error.message}` : error)
    process.exitCode = 1
  }
}

function help(verb: string | undefined): void {
  const isAsked = verb === undefined || ['serve', '--help', '-h', 'help'].includes(verb)
  if (isAsked) return console.log(helpText())
  console.error(`berth registry: unknown command: ${verb}\n${helpText()}`)
  process.exitCode = 1
}

async function serve(options: Options): Promise<void> {
  const level = isLogLevel(options.logLevel) ? options.logLevel : 'info'
  const logger = createLogger(level, options.logFormat === 'json' ? 'json' : 'text')
  process.on('uncaughtException', (error) => logger.error({ error: error.stack }, 'uncaught exception'))
  process.on('unhandledRejection', (error) => logger.error({ error: String(error) }, 'unhandled rejection'))
  const stopped = Promise.withResolvers<string>()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopped.resolve(signal))
  const { openRegistry } = await import('./open-registry.ts')
  await using registry = await openRegistry(options, logger)
  process.on('SIGHUP', () => registry.reload())
  const { host, port } = registry
  logger.info({ host, port, root: options.root, proxy: options.proxy }, 'the registry serves')
  logger.info({ signal: await stopped.promise }, 'stopping')
  await registry.drain(options.shutdownTimeout)
}
