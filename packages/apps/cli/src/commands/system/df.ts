import type { DiskUsageResponse } from '@berth/engine-api'
import type { Cli } from '../../cli.ts'
import { defineCommand, noArguments } from '../../command.ts'
import { boolean, string } from '../../flags/flag.ts'
import { tableFormatHelp } from '../../output/format-help.ts'
import { ellipsis, shortId } from '../../output/text.ts'
import { humanSize } from '../../output/units.ts'
import { render, renderText, type View } from '../../output/view.ts'
import { containerView } from '../container/container-view.ts'
import { imageRows, imageView } from '../image/image-view.ts'

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
    if (flags.verbose) return printVerbose(cli, usage, flags.format)
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
  const sizeBytes = records.reduce((sum, { Size }) => sum + Size, 0)
  return {
    type: 'Build Cache',
    total: records.length,
    active: 0,
    sizeBytes,
    reclaimableBytes: sizeBytes,
    percent: false,
  }
}

async function printVerbose(cli: Cli, usage: DiskUsageResponse, format: string): Promise<void> {
  if (format !== '') throw new Error('the format option is not supported together with --verbose yet')
  const images = await renderText(imageRows(usage.Images ?? [], false), imageView(true), {
    format: '',
    defaults: ['Repository', 'Tag', 'ID', 'CreatedSince', 'Size', 'SharedSize', 'UniqueSize', 'Containers'],
  })
  const containers = await renderText(usage.Containers ?? [], containerView(true), {
    format: '',
    defaults: ['ID', 'Image', 'Command', 'LocalVolumes', 'Size', 'RunningFor', 'Status', 'Names'],
  })
  const volumes = await renderText(usage.Volumes ?? [], volumeView, { format: '', defaults: ['Name', 'Links', 'Size'] })
  cli.out(
    `Images space usage:\n\n${images}\nContainers space usage:\n\n${containers}\nLocal Volumes space usage:\n\n${volumes}\n`,
  )
  const cache = await renderText(usage.BuildCache ?? [], cacheView, { format: '', defaults: ['ID', 'Size'] })
  cli.out(`Build cache usage: ${humanSize(cacheRow(usage).sizeBytes)}\n\n${cache}`)
}

type Volume = NonNullable<DiskUsageResponse['Volumes']>[number]
const volumeView: View<Volume> = {
  goType: '*formatter.volumeContext',
  columns: {
    Name: { header: 'VOLUME NAME', value: ({ Name }) => Name },
    Links: {
      header: 'LINKS',
      value: ({ UsageData }) => (UsageData === undefined ? 'N/A' : String(UsageData.RefCount)),
    },
    Size: { header: 'SIZE', value: ({ UsageData }) => (UsageData === undefined ? 'N/A' : humanSize(UsageData.Size)) },
  },
}

type CacheRecord = NonNullable<DiskUsageResponse['BuildCache']>[number]
const cacheView: View<CacheRecord> = {
  goType: '*formatter.buildCacheContext',
  columns: {
    ID: { header: 'CACHE ID', value: ({ ID }) => ellipsis(shortId(ID), 12) },
    Size: { header: 'SIZE', value: ({ Size }) => humanSize(Size) },
  },
}
