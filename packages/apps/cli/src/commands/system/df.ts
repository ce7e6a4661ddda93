import type { DiskUsageResponse } from '@berth/engine-api'
import { defineCommand, noArguments } from '../../command.ts'
import { boolean, string } from '../../flags/flag.ts'
import { tableFormatHelp } from '../../output/format-help.ts'
import { humanSize } from '../../output/units.ts'
import { render, type View } from '../../output/view.ts'
import { cacheBytes } from '../builder/cache-view.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'Show disk usage',
  count: noArguments,
  flags: {
    format: string('format', tableFormatHelp),
    verbose: boolean('v,verbose', 'Show detailed information on space usage'),
  },
  async run(cli, { flags }) {
    const usage = await cli.engine.system.diskUsage()
    if (flags.verbose) {
      const { printVerbose } = await import('./df-verbose.ts')
      return printVerbose(cli, usage, flags.format)
    }
    const rows = [imagesRow(usage), containersRow(usage), volumesRow(usage), cacheRow(usage)]
    const defaults = ['Type', 'TotalCount', 'Active', 'Size', 'Reclaimable']
    await render(cli, rows, summaryView, { format: flags.format, defaults })
  },
})

interface SummaryRow {
  readonly type: string
  readonly total: number
  readonly active: number
  readonly sizeBytes: number
  readonly reclaimableBytes: number
  /** Shown only where docker shows it. */
  readonly percent: boolean
}

const summaryView: View<SummaryRow> = {
  goType: '*formatter.diskUsageImagesContext',
  raw: { type: 'Type', total: 'TotalCount', active: 'Active', size: 'Size', reclaimable: 'Reclaimable' },
  columns: {
    Type: { header: 'TYPE', value: ({ type }) => type },
    TotalCount: { header: 'TOTAL', value: ({ total }) => String(total) },
    Active: { header: 'ACTIVE', value: ({ active }) => String(active) },
    Size: { header: 'SIZE', value: ({ sizeBytes }) => humanSize(sizeBytes) },
    Reclaimable: { header: 'RECLAIMABLE', value: reclaimable },
  },
}

function reclaimable({ sizeBytes, reclaimableBytes, percent }: SummaryRow): string {
  if (!percent || sizeBytes <= 0) return humanSize(reclaimableBytes)
  return `${humanSize(reclaimableBytes)} (${Math.trunc((reclaimableBytes * 100) / sizeBytes)}%)`
}

function imagesRow({ Images, LayersSize }: DiskUsageResponse): SummaryRow {
  const images = Images ?? []
  const used = images.filter((image) => image.Containers > 0)
  const usedBytes = used.reduce(
    (sum, { Size, SharedSize }) => (Size === -1 || SharedSize === -1 ? sum : sum + Size - SharedSize),
    0,
  )
  const sizeBytes = LayersSize ?? 0
  return {
    type: 'Images',
    total: images.length,
    active: used.length,
    sizeBytes,
    reclaimableBytes: sizeBytes - usedBytes,
    percent: true,
  }
}

function containersRow({ Containers }: DiskUsageResponse): SummaryRow {
  const containers = Containers ?? []
  const active = containers.filter(({ State }) => /running|paused|restarting/.test(State))
  const sum = (list: typeof containers): number => list.reduce((total, { SizeRw }) => total + (SizeRw ?? 0), 0)
  const sizeBytes = sum(containers)
  return {
    type: 'Containers',
    total: containers.length,
    active: active.length,
    sizeBytes,
    reclaimableBytes: sizeBytes - sum(active),
    percent: true,
  }
}

function volumesRow({ Volumes }: DiskUsageResponse): SummaryRow {
  const volumes = Volumes ?? []
  const active = volumes.filter(({ UsageData }) => (UsageData?.RefCount ?? 0) > 0)
  const sum = (list: typeof volumes): number =>
    list.reduce((total, { UsageData }) => total + Math.max(0, UsageData?.Size ?? 0), 0)
  const sizeBytes = sum(volumes)
  return {
    type: 'Local Volumes',
    total: volumes.length,
    active: active.length,
    sizeBytes,
    reclaimableBytes: sizeBytes - sum(active),
    percent: true,
  }
}

function cacheRow({ BuildCache }: DiskUsageResponse): SummaryRow {
  const records = BuildCache ?? []
  const used = records.filter(({ InUse }) => InUse === true)
  const sizeBytes = cacheBytes(records)
  return {
    type: 'Build Cache',
    total: records.length,
    active: used.length,
    sizeBytes,
    reclaimableBytes: sizeBytes - cacheBytes(used),
    percent: false,
  }
}
