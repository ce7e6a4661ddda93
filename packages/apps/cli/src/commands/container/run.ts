import { messageOf } from '@berth/base'
import type { ContainerCreateBody } from '@berth/engine-client'
import type { Cli } from '../../cli.ts'
import { atLeast, defineCommand } from '../../command.ts'
import type { StatusError } from '../../errors.ts'
import { boolean, string } from '../../flags/flag.ts'
import { buildContainerBody } from '../../options/container-body.ts'
import { containerFlags } from '../../options/container-flags.ts'
import { forwardSignals } from '../../terminal/signals.ts'
import { stayAttached } from '../../terminal/stay-attached.ts'
import { joinStreams } from '../../terminal/stream-session.ts'
import { followSize, requireTerminal, terminalSize } from '../../terminal/terminal.ts'
import { createContainer } from './create-container.ts'
import { checkPullPolicy } from './pull-policy.ts'
import { hinted, notStartedCode, parseOrHint } from './with-help-hint.ts'

const flags = {
  ...containerFlags,
  detach: boolean('d,detach', 'Run container in background and print container ID'),
  detachKeys: string('detach-keys', 'Override the key sequence for detaching a container'),
  sigProxy: boolean('sig-proxy', 'Proxy received signals to the process (default true)', true),
}

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  summary: 'Create and run a new container from an image',
  aliases: ['container run', 'run'],
  count: atLeast(1),
  interspersed: false,
  flags,
  async run(cli, parsed) {
    const body = parseOrHint(cli, () => {
      checkPullPolicy(parsed.flags.pull)
      return prepareBody(buildContainerBody(parsed), parsed.flags.detach)
    })
    if (parsed.flags.detach && parsed.flags.attach.length > 0) {
      throw new Error('conflicting options: cannot specify both --attach and --detach')
    }
    if (!parsed.flags.detach) requireTerminal(cli, { tty: body.Tty === true, stdin: body.AttachStdin === true })
    const id = await createContainer(cli, { ...parsed.flags, body }).catch((error: unknown) => {
      throw startFailure(cli, error)
    })
    const detachKeys = parsed.flags.detachKeys === '' ? (cli.config.detachKeys ?? '') : parsed.flags.detachKeys
    using _signals = parsed.flags.sigProxy && !parsed.flags.detach ? proxySignals(cli, id) : undefined
    // Awaited: the signals are forwarded until then.
    return await (attaches(body) ? runAttached(cli, { id, body, detachKeys }) : runDetached(cli, id))
  },
})

/** A detached container is attached to nothing; a terminal's size is known from the start. */
function prepareBody(body: ContainerCreateBody, detach: boolean): ContainerCreateBody {
  const size = terminalSize()
  const hostConfig =
    size === undefined
      ? body.HostConfig
      : { ...body.HostConfig, ConsoleSize: [size.height, size.width] as [number, number] }
  if (!detach) return { ...body, HostConfig: hostConfig }
  return {
    ...body,
    HostConfig: hostConfig,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    StdinOnce: false,
  }
}

function attaches(body: ContainerCreateBody): boolean {
  return body.AttachStdin === true || body.AttachStdout === true || body.AttachStderr === true
}

function proxySignals(cli: Cli, id: string): Disposable {
  return forwardSignals((signal) => cli.engine.containers.kill(id, signal))
}

async function runDetached(cli: Cli, id: string): Promise<number> {
  try {
    await cli.engine.containers.start(id)
    cli.out(`${id}\n`)
    return 0
  } catch (error) {
    cli.out(`${id}\n`)
    throw startFailure(cli, error)
  }
}

interface AttachedRun {
  readonly id: string
  readonly body: ContainerCreateBody
  readonly detachKeys: string
}

/** Attaches and waits before it starts, so that neither output nor exit code is missed. */
async function runAttached(cli: Cli, run: AttachedRun): Promise<number> {
  const { id, body, detachKeys } = run
  const { containers } = cli.engine
  const streams = {
    stdin: body.AttachStdin === true,
    stdout: body.AttachStdout === true,
    stderr: body.AttachStderr === true,
  }
  const removed = body.HostConfig?.AutoRemove === true
  const [connection, wait] = await Promise.all([
    containers.attach(id, { ...streams, detachKeys: detachKeys === '' ? undefined : detachKeys }),
    containers.wait(id, removed ? 'removed' : 'next-exit'),
  ])
  const options = { ...streams, tty: body.Tty === true, detachKeys }
  const session = joinStreams(cli, connection, options)
  // The session's end is looked at once the container has started.
  session.catch(() => undefined)
  try {
    await containers.start(id)
  } catch (error) {
    connection.destroy()
    if (removed) await wait.result.catch(() => undefined)
    throw startFailure(cli, error)
  }
  if (!streams.stdout && !streams.stderr) cli.out(`${id}\n`)
  using _size = body.Tty === true && cli.isTerminal(1) ? followSize((size) => containers.resize(id, size)) : undefined
  const end = await stayAttached(cli, { id, options, session, wait })
  return end === 'detached' ? 0 : end
}

function startFailure(cli: Cli, error: unknown): StatusError {
  const message = messageOf(error)
  if (/executable file not found|no such file or directory/.test(message)) return hinted(cli, 127, error)
  if (/permission denied|is a directory/.test(message)) return hinted(cli, 126, error)
  return hinted(cli, notStartedCode, error)
}
