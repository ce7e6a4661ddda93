import { atLeast, defineCommand } from '../../command.ts'
import { string } from '../../flags/flag.ts'
import { formatHelp } from '../../output/format-help.ts'
import { inspectAll } from '../../output/inspect.ts'

export const command = defineCommand({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  summary: 'Display detailed information on one or more volumes',
  count: atLeast(1),
  flags: { format: string('f,format', formatHelp) },
  run: (cli, { args, flags }) =>
    inspectAll(cli, args, {
      format: flags.format,
      fetch: async (name) => ({ type: 'volume', text: await cli.engine.volumes.inspectText(name) }),
    }),
})
