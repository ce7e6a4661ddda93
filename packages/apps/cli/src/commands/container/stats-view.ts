import type { ContainerStatsResponse } from '@berth/engine-api'
import { binarySize, humanSize } from '../../output/units.ts'
import type { View } from '../../output/view.ts'

/** The numbers that the table shows; sizes in bytes. */
export interface StatsSample {
  readonly cpuPercent: number
  readonly memoryBytes: number
  readonly limitBytes: number
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly readBytes: number
  readonly writtenBytes: number
  readonly processes: number
}

export interface StatsRow {
  /** As it was asked for. */
  readonly container: string
  readonly name: string
  readonly id: string
  /** Undefined until the engine has answered. */
  readonly sample: StatsSample | undefined
}

const unknown = '--'

/** The columns of stats. */
export function statsView(truncate: boolean): View<StatsRow> {
  const show = (row: StatsRow, format: (sample: StatsSample) => string): string =>
    row.sample === undefined ? unknown : format(row.sample)
  return {
    goType: '*container.statsContext',
    columns: {
      Container: { header: 'CONTAINER', value: ({ container }) => container },
      ID: { header: 'CONTAINER ID', value: ({ id }) => (id === '' ? unknown : truncate ? id.slice(0, 12) : id) },
      Name: { header: 'NAME', value: ({ name }) => (name === '' ? unknown : name) },
      CPUPerc: { header: 'CPU %', value: (row) => show(row, ({ cpuPercent }) => `${cpuPercent.toFixed(2)}%`) },
      MemUsage: { header: 'MEM USAGE / LIMIT', value: memoryUsage },
      MemPerc: { header: 'MEM %', value: (row) => show(row, memoryPercent) },
      NetIO: { header: 'NET I/O', value: (row) => show(row, (one) => pair(one.receivedBytes, one.sentBytes)) },
      BlockIO: { header: 'BLOCK I/O', value: (row) => show(row, (one) => pair(one.readBytes, one.writtenBytes)) },
      PIDs: { header: 'PIDS', value: (row) => show(row, ({ processes }) => String(processes)) },
    },
  }
}

function memoryUsage({ sample }: StatsRow): string {
  if (sample === undefined) return `${unknown} / ${unknown}`
  return `${binarySize(sample.memoryBytes)} / ${binarySize(sample.limitBytes)}`
}

function memoryPercent({ memoryBytes, limitBytes }: StatsSample): string {
  return `${(limitBytes === 0 ? 0 : (memoryBytes / limitBytes) * 100).toFixed(2)}%`
}

function pair(a: number, b: number): string {
  return `${humanSize(a, 3)} / ${humanSize(b, 3)}`
}

/** Condenses one document of the engine. */
export function measure(stats: ContainerStatsResponse): StatsSample {
  const networks = Object.values(stats.networks ?? {})
  const blocks = stats.blkio_stats?.['io_service_bytes_recursive'] ?? []
  const sumBlocks = (first: string): number =>
    blocks.filter(({ op }) => op.toLowerCase().startsWith(first)).reduce((sum, { value }) => sum + value, 0)
  return {
    cpuPercent: cpuPercent(stats),
    memoryBytes: memoryWithoutCache(stats),
    limitBytes: stats.memory_stats.limit ?? 0,
    receivedBytes: networks.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0),
    sentBytes: networks.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0),
    readBytes: sumBlocks('r'),
    writtenBytes: sumBlocks('w'),
    processes: stats.pids_stats.current ?? 0,
  }
}

function cpuPercent({ cpu_stats: now, precpu_stats: before }: ContainerStatsResponse): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0)
  const processors = now.online_cpus ?? now.cpu_usage.percpu_usage?.length ?? 0
  return used > 0 && passed > 0 ? (used / passed) * processors * 100 : 0
}

/** Pages of files that nobody uses right now are not the container's need (v1: total_inactive_file, v2: inactive_file). */
function memoryWithoutCache({ memory_stats: memory }: ContainerStatsResponse): number {
  const usage = memory.usage ?? 0
  const idle = memory.stats?.['total_inactive_file'] ?? memory.stats?.['inactive_file'] ?? 0
  return idle < usage ? usage - idle : usage
}
