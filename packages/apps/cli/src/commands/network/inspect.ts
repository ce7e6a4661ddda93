import { atLeast, defineCommand } from '../../command.ts'
import { boolean, string } from '../../flags/flag.ts'
import { formatHelp } from '../../output/format-help.ts'
import { inspectAll } from '../../output/inspect.ts'

export const command = defineCommand({
  usage: '[OPTIONS] NETWORK [NETWORK...]',
  summary: 'Display detailed information on one or more networks',
  count: atLeast(1),
  flags: {
    format: string('f,format', formatHelp),
    verbose: boolean('v,verbose', 'Verbose output for diagnostics'),
  },
  run: (cli, { args, flags }) =>
    inspectAll(cli, args, {
      format: flags.format,
      fetch: async (name) => ({
        type: 'network',
        text: await cli.engine.networks.inspectText(name, { verbose: flags.verbose || undefined }),
      }),
    }),
})
