import { atLeast, defineCommand } from '../../command.ts'
import { forEachName } from './for-each.ts'

export const command = defineCommand({
  usage: 'CONTAINER [CONTAINER...]',
  summary: 'Unpause all processes within one or more containers',
  aliases: ['container unpause', 'unpause'],
  count: atLeast(1),
  flags: {},
  run: (cli, { args }) => forEachName(cli, args, (name) => cli.engine.containers.unpause(name)),
})
