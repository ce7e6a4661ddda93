import type { ContainerInspectResponse } from '@berth/engine-api'
import { defineCommand, exactly } from '../../command.ts'
import { StatusError } from '../../errors.ts'
import { boolean, string } from '../../flags/flag.ts'
import { forwardSignals } from '../../terminal/signals.ts'
import { stayAttached } from '../../terminal/stay-attached.ts'
import { joinStreams } from '../../terminal/stream-session.ts'
import { followSize, requireTerminal } from '../../terminal/terminal.ts'

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  summary: 'Attach local standard input, output, and error streams to a running container',
  aliases: ['container attach', 'attach'],
  count: exactly(1),
  flags: {
    detachKeys: string('detach-keys', 'Override the key sequence for detaching a container'),
    noStdin: boolean('no-stdin', 'Do not attach STDIN'),
    sigProxy: boolean('sig-proxy', 'Proxy all received signals to the process (default true)', true),
  },
  async run(cli, { args, flags }) {
    const { containers } = cli.engine
    const container = await containers.inspect(args[0] ?? '')
    refuseUnattachable(container)
    const { Id, Config } = container
    const stdin = !flags.noStdin && Config.OpenStdin
    requireTerminal(cli, { tty: Config.Tty, stdin })
    const detachKeys = flags.detachKeys === '' ? (cli.config.detachKeys ?? '') : flags.detachKeys
    const query = { stdin, stdout: true, stderr: true, detachKeys: detachKeys === '' ? undefined : detachKeys }
    const wait = await containers.wait(Id)
    using _signals = flags.sigProxy && !Config.Tty ? forwardSignals((signal) => containers.kill(Id, signal)) : undefined
    const connection = await containers.attach(Id, query)
    using _size = Config.Tty && cli.isTerminal(1) ? followSize((size) => containers.resize(Id, size)) : undefined
    const options = { tty: Config.Tty, stdin, stdout: true, stderr: true, detachKeys }
    const end = await stayAttached(cli, { id: Id, options, session: joinStreams(cli, connection, options), wait })
    if (end === 'detached') throw new StatusError(1, 'read escape sequence')
    return end
  },
})

function refuseUnattachable({ State }: ContainerInspectResponse): void {
  if (!State.Running) throw new Error('You cannot attach to a stopped container, start it first')
  if (State.Paused) throw new Error('You cannot attach to a paused container, unpause it first')
  if (State.Restarting) throw new Error('You cannot attach to a restarting container, wait until it is running')
}
