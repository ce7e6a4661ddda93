import type { PluginSummary } from '@berth/engine-client'
import { defineCommand, noArguments } from '../../command.ts'
import { boolean, filter, string } from '../../flags/flag.ts'
import { tableFormatHelp } from '../../output/format-help.ts'
import { compareNaturally } from '../../output/natural-order.ts'
import { ellipsis, shortId } from '../../output/text.ts'
import { render, type View } from '../../output/view.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'List plugins',
  aliases: ['plugin ls', 'plugin list'],
  count: noArguments,
  flags: {
    filter: filter('f,filter', 'Provide filter values (e.g. "enabled=true")'),
    format: string('format', tableFormatHelp),
    noTrunc: boolean('no-trunc', "Don't truncate output"),
    quiet: boolean('q,quiet', 'Only display plugin IDs'),
  },
  async run(cli, { flags }) {
    const format = flags.format === '' && !flags.quiet ? (cli.config.pluginsFormat ?? '') : flags.format
    const plugins = await cli.engine.plugins.list(flags.filter)
    const rows = plugins.toSorted((a, b) => compareNaturally(a.Name, b.Name))
    const defaults = ['ID', 'Name', 'Description', 'Enabled']
    await render(cli, rows, pluginView(!flags.noTrunc), { format, quiet: flags.quiet, defaults })
  },
})

const descriptionColumns = 45

function pluginView(truncate: boolean): View<PluginSummary> {
  const describe = (text: string): string => (truncate ? ellipsis(text, descriptionColumns) : text)
  return {
    goType: '*plugin.pluginContext',
    raw: { plugin_id: 'ID', name: 'Name', description: 'Description', enabled: 'Enabled' },
    columns: {
      ID: { header: 'ID', value: ({ Id = '' }) => (truncate ? shortId(Id) : Id) },
      Name: { header: 'NAME', value: ({ Name }) => Name },
      Description: {
        header: 'DESCRIPTION',
        value: ({ Config }) => describe(Config.Description.replaceAll(/[\n\r]/g, ' ')),
      },
      Enabled: { header: 'ENABLED', value: ({ Enabled }) => Enabled },
      PluginReference: { header: 'REFERENCE', value: ({ PluginReference = '' }) => PluginReference },
    },
  }
}
