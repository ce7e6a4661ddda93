import { atLeast, defineCommand } from '../../command.ts'
import { forEachName } from './for-each.ts'
import { stopFlags, stopOptions } from './stop-options.ts'

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Stop one or more running containers',
  aliases: ['container stop', 'stop'],
  count: atLeast(1),
  flags: stopFlags,
  async run(cli, { args, flags, changed }) {
    const options = stopOptions({ flags, changed })
    await forEachName(cli, args, (name) => cli.engine.containers.stop(name, options))
  },
})
