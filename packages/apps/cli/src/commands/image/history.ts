import type { ImageHistoryResponseItem } from '@berth/engine-api'
import { defineCommand, exactly } from '../../command.ts'
import { boolean, string } from '../../flags/flag.ts'
import { platformQuery } from '../../options/platform.ts'
import { tableFormatHelp } from '../../output/format-help.ts'
import { ellipsis, shortId } from '../../output/text.ts'
import { ago, humanSize } from '../../output/units.ts'
import { render, type View } from '../../output/view.ts'

const createdByColumns = 45

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE',
  summary: 'Show the history of an image',
  aliases: ['image history', 'history'],
  count: exactly(1),
  flags: {
    format: string('format', tableFormatHelp),
    human: boolean('H,human', 'Print sizes and dates in human readable format (default true)', true),
    noTrunc: boolean('no-trunc', "Don't truncate output"),
    platform: string(
      'platform',
      'Show history for the given platform. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    ),
    quiet: boolean('q,quiet', 'Only show image IDs'),
  },
  async run(cli, { args, flags }) {
    const items = await cli.engine.images.history(args[0] ?? '', platformQuery(flags.platform))
    const view = historyView({ truncate: !flags.noTrunc, human: flags.human })
    if (flags.quiet && (flags.format === '' || flags.format === 'table')) {
      cli.out(items.map((item) => `${String(view.columns['ID']?.value(item))}\n`).join(''))
      return
    }
    const created = flags.human ? 'CreatedSince' : 'CreatedAt'
    await render(cli, items, view, { format: flags.format, defaults: ['ID', created, 'CreatedBy', 'Size', 'Comment'] })
  },
})

function historyView({ truncate, human }: { truncate: boolean; human: boolean }): View<ImageHistoryResponseItem> {
  return {
    goType: '*image.historyContext',
    columns: {
      ID: { header: 'IMAGE', value: ({ Id }) => (truncate ? shortId(Id) : Id) },
      CreatedSince: { header: 'CREATED', value: ({ Created }) => (human ? ago(Created) : isoTime(Created)) },
      CreatedAt: { header: 'CREATED AT', value: ({ Created }) => isoTime(Created) },
      CreatedBy: { header: 'CREATED BY', value: ({ CreatedBy }) => createdBy(CreatedBy, truncate) },
      Size: { header: 'SIZE', value: ({ Size }) => (human ? humanSize(Size, 3) : String(Size)) },
      Comment: { header: 'COMMENT', value: ({ Comment }) => Comment },
    },
  }
}

function createdBy(text: string, truncate: boolean): string {
  const line = text.replaceAll('\t', ' ')
  return truncate ? ellipsis(line, createdByColumns) : line
}

function isoTime(epochS: number): string {
  return new Date(epochS * 1000).toISOString().replace('.000Z', 'Z')
}
