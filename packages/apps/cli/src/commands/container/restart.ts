import { atLeast, defineCommand } from '../../command.ts'
import { forEachName } from './for-each.ts'
import { stopFlags, stopOptions } from './stop-options.ts'

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Restart one or more containers',
  aliases: ['container restart', 'restart'],
  count: atLeast(1),
  flags: stopFlags,
  async run(cli, { args, flags, changed }) {
    const options = stopOptions({ flags, changed })
    await forEachName(cli, args, (name) => cli.engine.containers.restart(name, options))
  },
})
