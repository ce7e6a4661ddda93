import { atLeast, defineCommand } from '../../command.ts'
import { forEachName } from './for-each.ts'

export const command = defineCommand({
  usage: 'CONTAINER [CONTAINER...]',
  summary: 'Block until one or more containers stop, then print their exit codes',
  aliases: ['container wait', 'wait'],
  count: atLeast(1),
  flags: {},
  run: (cli, { args }) =>
    forEachName(cli, args, async (name) => {
      const { result } = await cli.engine.containers.wait(name)
      return String((await result).StatusCode)
    }),
})
