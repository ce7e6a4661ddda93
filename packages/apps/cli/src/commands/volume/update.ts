import { between, defineCommand } from '../../command.ts'
import { hidden, string } from '../../flags/flag.ts'

export const command = defineCommand({
  usage: '[OPTIONS] [VOLUME]',
  summary: 'Update a volume (cluster volumes only)',
  count: between(1, 1),
  flags: { availability: hidden(string('availability', 'Cluster Volume availability ("active", "pause", "drain")')) },
  async run(cli, { args }) {
    await cli.engine.volumes.inspect(args[0] ?? '')
    throw new Error('can only update cluster volumes')
  },
})
