import { atLeast, defineCommand } from '../../command.ts'
import { StatusError } from '../../errors.ts'
import { boolean, list, string } from '../../flags/flag.ts'
import { expandEnvironment, readEnvironment } from '../../options/key-values.ts'
import { joinStreams } from '../../terminal/stream-session.ts'
import { followSize, requireTerminal, terminalSize } from '../../terminal/terminal.ts'

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  summary: 'Execute a command in a running container',
  aliases: ['container exec', 'exec'],
  count: atLeast(2),
  interspersed: false,
  flags: {
    detach: boolean('d,detach', 'Detached mode: run command in the background'),
    detachKeys: string('detach-keys', 'Override the key sequence for detaching a container'),
    env: list('e,env', 'Set environment variables', { check: expandEnvironment }),
    envFile: list('env-file', 'Read in a file of environment variables'),
    interactive: boolean('i,interactive', 'Keep STDIN open even if not attached'),
    privileged: boolean('privileged', 'Give extended privileges to the command'),
    tty: boolean('t,tty', 'Allocate a pseudo-TTY'),
    user: string('u,user', 'Username or UID (format: "<name|uid>[:<group|gid>]")'),
    workdir: string('w,workdir', 'Working directory inside the container'),
  },
  async run(cli, { args, flags }) {
    const [container = '', ...Cmd] = args
    const { exec } = cli.engine
    const { tty: Tty, detach } = flags
    const stdin = flags.interactive && !detach
    const detachKeys = flags.detachKeys === '' ? (cli.config.detachKeys ?? '') : flags.detachKeys
    if (!detach) requireTerminal(cli, { tty: Tty, stdin })
    const size = Tty ? terminalSize() : undefined
    const console = size === undefined ? {} : { ConsoleSize: [size.height, size.width] as [number, number] }
    const { Id } = await exec.create(container, {
      User: flags.user,
      Privileged: flags.privileged,
      Tty,
      ...console,
      AttachStdin: stdin,
      AttachStdout: !detach,
      AttachStderr: !detach,
      DetachKeys: detachKeys,
      Env: readEnvironment(flags.envFile, flags.env),
      WorkingDir: flags.workdir,
      Cmd,
    })
    if (detach) return exec.startDetached(Id, { Tty, ...console })
    const connection = await exec.attach(Id, { Tty, ...console })
    using _size = Tty && cli.isTerminal(0) ? followSize((to) => exec.resize(Id, to)) : undefined
    const end = await joinStreams(cli, connection, { tty: Tty, stdin, stdout: true, stderr: true, detachKeys })
    if (end === 'detached') throw new StatusError(1, 'read escape sequence')
    return (await exec.inspect(Id)).ExitCode ?? 0
  },
})
