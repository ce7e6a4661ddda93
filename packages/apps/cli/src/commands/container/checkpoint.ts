import type { Cli } from '../../cli.ts'
import { defineCommand, exactly } from '../../command.ts'
import { boolean, string } from '../../flags/flag.ts'
import { formatTable } from '../../output/table.ts'

const checkpointDir = string('checkpoint-dir', 'Use a custom checkpoint storage directory')

export const create = defineCommand({
  usage: '[OPTIONS] CONTAINER CHECKPOINT',
  summary: 'Create a checkpoint from a running container',
  count: exactly(2),
  flags: {
    checkpointDir,
    leaveRunning: boolean('leave-running', 'Leave the container running after checkpoint'),
  },
  async run(cli, { args: [container = '', checkpoint = ''], flags }) {
    await requireExperimental(cli)
    const json = { CheckpointID: checkpoint, CheckpointDir: flags.checkpointDir, Exit: !flags.leaveRunning }
    await cli.engine.transport.send('POST', checkpointsPath(container), { json })
    cli.out(`${checkpoint}\n`)
  },
})

export const list = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  summary: 'List checkpoints for a container',
  aliases: ['checkpoint ls', 'checkpoint list'],
  count: exactly(1),
  flags: { checkpointDir },
  async run(cli, { args: [container = ''], flags }) {
    await requireExperimental(cli)
    const query = { dir: flags.checkpointDir === '' ? undefined : flags.checkpointDir }
    const found = await cli.engine.transport.json<{ Name: string }[]>('GET', checkpointsPath(container), { query })
    const rows = found.map(({ Name }) => [Name])
    cli.out(formatTable(['CHECKPOINT NAME'], rows))
  },
})

export const remove = defineCommand({
  usage: '[OPTIONS] CONTAINER CHECKPOINT',
  summary: 'Remove a checkpoint',
  aliases: ['checkpoint rm', 'checkpoint remove'],
  count: exactly(2),
  flags: { checkpointDir },
  async run(cli, { args: [container = '', checkpoint = ''], flags }) {
    const query = { dir: flags.checkpointDir === '' ? undefined : flags.checkpointDir }
    await requireExperimental(cli)
    const target = `${checkpointsPath(container)}/${encodeURIComponent(checkpoint)}`
    await cli.engine.transport.send('DELETE', target, { query })
  },
})

async function requireExperimental({ engine, commandPath }: Cli): Promise<void> {
  const { Experimental } = await engine.system.version()
  if (Experimental === true) return
  throw new Error(`${commandPath} is only supported on a Berth daemon with experimental features enabled`)
}

function checkpointsPath(container: string): string {
  return `/containers/${encodeURIComponent(container)}/checkpoints`
}
