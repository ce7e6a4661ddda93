import { defineCommand, noArguments } from '../../command.ts'
import { boolean, filter, string } from '../../flags/flag.ts'
import { goTimestamp, humanSize } from '../../output/units.ts'
import { render, type View } from '../../output/view.ts'
import { type CacheRecord, matchesCacheFilter, since } from './cache-view.ts'

export const command = defineCommand({
  usage: '',
  summary: 'Disk usage',
  count: noArguments,
  flags: {
    filter: filter('filter', 'Provide filter values'),
    format: string('format', 'Format the output'),
    verbose: boolean('verbose', 'Shows disk usage of all records in detail'),
  },
  async run(cli, { flags }) {
    const { BuildCache } = await cli.engine.system.diskUsage(['build-cache'])
    const records = (BuildCache ?? [])
      .filter((record) => matchesCacheFilter(record, flags.filter))
      .toSorted((a, b) => a.Size - b.Size)
    if (flags.verbose) cli.out(records.map(describe).join(''))
    else await render(cli, records, usageView, { format: flags.format, defaults: Object.keys(usageView.columns) })
    if (flags.format === '' && Object.keys(flags.filter).length === 0) cli.out(totals(records))
  },
})

/** Its content changes with each use. */
const isMutable = ({ Type }: CacheRecord): boolean => Type === 'exec.cachemount' || Type === 'source.local'

const usageView: View<CacheRecord> = {
  goType: '*commands.duContext',
  columns: {
    ID: { header: 'ID', value: (record) => `${record.ID}${isMutable(record) ? '*' : ''}` },
    Reclaimable: { header: 'RECLAIMABLE', value: ({ InUse }) => String(InUse !== true) },
    Size: { header: 'SIZE', value: ({ Size, Shared }) => `${humanSize(Size)}${Shared === true ? '*' : ''}` },
    LastUsedAt: { header: 'LAST ACCESSED', value: ({ LastUsedAt }) => since(LastUsedAt) },
  },
}

/** Names in a column of their own, a record a paragraph. */
function describe(record: CacheRecord): string {
  const { Parents } = record
  const parents = Parents && Parents.length > 0 ? `Parents:\n${Parents.map((id) => ` - ${id}\n`).join('')}` : ''
  const rest: readonly (readonly [string, string])[] = [
    ['Created at', goTimestamp(record.CreatedAt ?? '')],
    ['Mutable', String(isMutable(record))],
    ['Reclaimable', String(record.InUse !== true)],
    ['Shared', String(record.Shared ?? false)],
    ['Size', humanSize(record.Size)],
    ['Description', record.Description ?? ''],
    ['Usage count', String(record.UsageCount ?? 0)],
    ['Last used', since(record.LastUsedAt)],
    ['Type', record.Type ?? ''],
  ]
  const line = ([name, value]: readonly [string, string]) => `${`${name}:`.padEnd(14)}${value}\n`
  return `${line(['ID', record.ID])}${parents}${rest.map(line).join('')}\n`
}

function totals(records: readonly CacheRecord[]): string {
  const sum = (some: readonly CacheRecord[]) => some.reduce((bytes, { Size }) => bytes + Size, 0)
  const shared = sum(records.filter(({ Shared }) => Shared))
  const all = sum(records)
  const reclaimable = sum(records.filter(({ InUse }) => !InUse))
  const parts = shared > 0 ? `Shared:\t\t${humanSize(shared)}\nPrivate:\t${humanSize(all - shared)}\n` : ''
  return `${parts}Reclaimable:\t${humanSize(reclaimable)}\nTotal:\t\t${humanSize(all)}\n`
}
