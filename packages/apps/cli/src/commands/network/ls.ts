import { defineCommand, noArguments } from '../../command.ts'
import { boolean, filter, string } from '../../flags/flag.ts'
import { tableFormatHelp } from '../../output/format-help.ts'
import { compareNaturally } from '../../output/natural-order.ts'
import { render } from '../../output/view.ts'
import { networkView } from './network-view.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'List networks',
  aliases: ['network ls', 'network list'],
  count: noArguments,
  flags: {
    filter: filter('f,filter', 'Provide filter values (e.g. "driver=bridge")'),
    format: string('format', tableFormatHelp),
    noTrunc: boolean('no-trunc', 'Do not truncate the output'),
    quiet: boolean('q,quiet', 'Only display network IDs'),
  },
  async run(cli, { flags }) {
    const format = flags.format === '' && !flags.quiet ? (cli.config.networksFormat ?? '') : flags.format
    const networks = await cli.engine.networks.list(flags.filter)
    const rows = networks.toSorted((a, b) => compareNaturally(a.Name, b.Name))
    const view = networkView(!flags.noTrunc)
    await render(cli, rows, view, { format, quiet: flags.quiet, defaults: ['ID', 'Name', 'Driver', 'Scope'] })
  },
})
