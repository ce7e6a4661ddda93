import { atLeast, defineCommand } from '../../command.ts'
import type { Cli } from '../../cli.ts'
import { describeFailure, StatusError } from '../../errors.ts'
import { boolean, hidden, string } from '../../flags/flag.ts'
import { forwardSignals } from '../../terminal/signals.ts'
import { stayAttached } from '../../terminal/stay-attached.ts'
import { joinStreams } from '../../terminal/stream-session.ts'
import { followSize, requireTerminal } from '../../terminal/terminal.ts'

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Start one or more stopped containers',
  aliases: ['container start', 'start'],
  count: atLeast(1),
  flags: {
    attach: boolean('a,attach', 'Attach STDOUT/STDERR and forward signals'),
    checkpoint: hidden(string('checkpoint', 'Restore from this checkpoint')),
    checkpointDir: hidden(string('checkpoint-dir', 'Use a custom checkpoint storage directory')),
    detachKeys: string('detach-keys', 'Override the key sequence for detaching a container'),
    interactive: boolean('i,interactive', "Attach container's STDIN"),
  },
  async run(cli, { args, flags }) {
    if (flags.checkpoint !== '' || flags.checkpointDir !== '') throw new Error('checkpoints are not supported')
    if (!flags.attach && !flags.interactive) return startAll(cli, args)
    if (args.length > 1) throw new Error('you cannot start and attach multiple containers at once')
    return startAttached(cli, args[0] ?? '', flags)
  },
})

async function startAll(cli: Cli, names: readonly string[]): Promise<void> {
  const failed: string[] = []
  for (const name of names) {
    try {
      await cli.engine.containers.start(name)
      cli.out(`${name}\n`)
    } catch (error) {
      cli.err(`${describeFailure(error)}\n`)
      failed.push(name)
    }
  }
  if (failed.length > 0) throw new StatusError(1, `Error: failed to start containers: ${failed.join(', ')}`)
}

async function startAttached(
  cli: Cli,
  name: string,
  flags: { interactive: boolean; detachKeys: string },
): Promise<number> {
  const { containers } = cli.engine
  const { Id, Config, HostConfig } = await containers.inspect(name)
  const stdin = flags.interactive && Config.OpenStdin
  requireTerminal(cli, { tty: Config.Tty, stdin })
  using _signals = Config.Tty ? undefined : forwardSignals((signal) => containers.kill(Id, signal))
  const detachKeys = flags.detachKeys === '' ? (cli.config.detachKeys ?? '') : flags.detachKeys
  const query = { stdin, stdout: true, stderr: true, detachKeys: detachKeys === '' ? undefined : detachKeys }
  const [connection, wait] = await Promise.all([
    containers.attach(Id, query),
    containers.wait(Id, HostConfig.AutoRemove ? 'removed' : 'next-exit'),
  ])
  const options = { tty: Config.Tty, stdin, stdout: true, stderr: true, detachKeys }
  const session = joinStreams(cli, connection, options)
  session.catch(() => undefined)
  await containers.start(Id)
  using _size = Config.Tty && cli.isTerminal(1) ? followSize((size) => containers.resize(Id, size)) : undefined
  const end = await stayAttached(cli, { id: Id, options, session, wait })
  return end === 'detached' ? 0 : end
}
