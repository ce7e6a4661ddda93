import { defineCommand, noArguments } from '../../command.ts'
import { boolean, filter, hidden, string } from '../../flags/flag.ts'
import { tableFormatHelp } from '../../output/format-help.ts'
import { compareNaturally } from '../../output/natural-order.ts'
import { render } from '../../output/view.ts'
import { volumeView } from './volume-view.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'List volumes',
  aliases: ['volume ls', 'volume list'],
  count: noArguments,
  flags: {
    cluster: hidden(boolean('cluster', 'Display only cluster volumes, and use cluster volume list formatting')),
    filter: filter('f,filter', 'Provide filter values (e.g. "dangling=true")'),
    format: string('format', tableFormatHelp),
    quiet: boolean('q,quiet', 'Only display volume names'),
  },
  async run(cli, { flags }) {
    const format = flags.format === '' && !flags.quiet ? (cli.config.volumesFormat ?? '') : flags.format
    const { Volumes } = await cli.engine.volumes.list(flags.filter)
    // No volume is a swarm's.
    const rows = flags.cluster ? [] : Volumes.toSorted((a, b) => compareNaturally(a.Name, b.Name))
    const defaults = flags.cluster ? ['Name', 'Group', 'Driver', 'Availability', 'Status'] : ['Driver', 'Name']
    await render(cli, rows, volumeView, { format, quiet: flags.quiet, defaults })
  },
})
