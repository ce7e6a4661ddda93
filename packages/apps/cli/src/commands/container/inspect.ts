import { atLeast, defineCommand } from '../../command.ts'
import { boolean, string } from '../../flags/flag.ts'
import { formatHelp } from '../../output/format-help.ts'
import { inspectAll } from '../../output/inspect.ts'

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Display detailed information on one or more containers',
  count: atLeast(1),
  flags: {
    format: string('f,format', formatHelp),
    size: boolean('s,size', 'Display total file sizes'),
  },
  run: (cli, { args, flags }) =>
    inspectAll(cli, args, {
      format: flags.format,
      fetch: async (name) => ({
        type: 'container',
        text: await cli.engine.containers.inspectText(name, { size: flags.size || undefined }),
      }),
    }),
})
