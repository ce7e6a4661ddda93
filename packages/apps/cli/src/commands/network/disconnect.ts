import { defineCommand, exactly } from '../../command.ts'
import { boolean } from '../../flags/flag.ts'

export const command = defineCommand({
  usage: '[OPTIONS] NETWORK CONTAINER',
  summary: 'Disconnect a container from a network',
  count: exactly(2),
  flags: { force: boolean('f,force', 'Force the container to disconnect from a network') },
  async run(cli, { args, flags }) {
    const [network = '', container = ''] = args
    await cli.engine.networks.disconnect(network, container, { force: flags.force })
  },
})
