import type { BlkioEntry, ContainerStatsResponse } from '@berth/engine-api'

/** A counter file of `key value` lines, numbers only. */
export function parseKeyValues(text: string): Record<string, number> {
  const values: Record<string, number> = {}
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ')
    const value = Number(line.slice(space + 1))
    if (space > 0 && Number.isFinite(value)) values[line.slice(0, space)] = value
  }
  return values
}

/** A file of one number; undefined for `max` and for a file that is not there. */
export function parseNumber(text: string | undefined): number | undefined {
  const trimmed = text?.trim()
  return trimmed === undefined || !/^\d+$/.test(trimmed) ? undefined : Number(trimmed)
}

/** `254:0 Read 167936` a line, and a total that names no device (cgroup-v1/blkio-controller.rst). */
export function parseBlkioV1(text: string | undefined): BlkioEntry[] {
  return (text ?? '').split('\n').flatMap((line) => {
    const [device = '', op, value] = line.split(' ')
    const [major, minor] = device.split(':').map(Number)
    if (op === undefined || value === undefined || major === undefined || minor === undefined) return []
    return [{ major, minor, op, value: Number(value) }]
  })
}

/** `254:0 rbytes=1 wbytes=2 rios=...` a line of io.stat (cgroup-v2.rst), as read and written bytes. */
export function parseIoStat(text: string | undefined): BlkioEntry[] {
  return (text ?? '').split('\n').flatMap((line) => {
    const [device = '', ...fields] = line.split(' ')
    const [major, minor] = device.split(':').map(Number)
    if (major === undefined || minor === undefined || Number.isNaN(minor)) return []
    const values = Object.fromEntries(fields.map((field) => field.split('=', 2)))
    return [
      { major, minor, op: 'read', value: Number(values['rbytes'] ?? 0) },
      { major, minor, op: 'write', value: Number(values['wbytes'] ?? 0) },
    ]
  })
}

const ticksPerSecond = 100
export const nsPerTick = 1e9 / ticksPerSecond

export interface SystemCpu {
  /** Nanoseconds that all processors spent together, idle ones too, since boot. */
  readonly usageNs: number
  readonly onlineCpus: number
}

/** /proc/stat (proc_stat(5)): user to softirq, as Docker adds them. */
export function parseSystemCpu(text: string): SystemCpu {
  const lines = text.split('\n').filter((line) => line.startsWith('cpu'))
  const ticks = (lines[0] ?? '').split(/\s+/).slice(1, 8).map(Number)
  return { usageNs: ticks.reduce((sum, value) => sum + value, 0) * nsPerTick, onlineCpus: lines.length - 1 }
}

export type CpuUsage = ContainerStatsResponse['cpu_stats']
export type MemoryUsage = ContainerStatsResponse['memory_stats']

/** The files of the cpu and cpuacct controllers of version 1. */
export interface CpuFilesV1 {
  readonly usage: string | undefined
  readonly usagePerCpu: string | undefined
  /** Ticks. */
  readonly acctStat: string | undefined
  readonly cpuStat: string | undefined
}

export function cpuUsageV1(files: CpuFilesV1, system: SystemCpu): CpuUsage {
  const acct = parseKeyValues(files.acctStat ?? '')
  const throttling = parseKeyValues(files.cpuStat ?? '')
  const perCpu = (files.usagePerCpu ?? '').trim().split(/\s+/).filter(Boolean).map(Number)
  return {
    cpu_usage: {
      total_usage: parseNumber(files.usage) ?? 0,
      ...(perCpu.length > 0 && { percpu_usage: perCpu }),
      usage_in_kernelmode: (acct['system'] ?? 0) * nsPerTick,
      usage_in_usermode: (acct['user'] ?? 0) * nsPerTick,
    },
    ...systemUsage(system),
    throttling_data: {
      periods: throttling['nr_periods'] ?? 0,
      throttled_periods: throttling['nr_throttled'] ?? 0,
      throttled_time: throttling['throttled_time'] ?? 0,
    },
  }
}

export function cpuUsageV2(cpuStat: string | undefined, system: SystemCpu): CpuUsage {
  const values = parseKeyValues(cpuStat ?? '')
  const ns = (name: string) => (values[name] ?? 0) * 1000
  return {
    cpu_usage: {
      total_usage: ns('usage_usec'),
      usage_in_kernelmode: ns('system_usec'),
      usage_in_usermode: ns('user_usec'),
    },
    ...systemUsage(system),
    throttling_data: {
      periods: values['nr_periods'] ?? 0,
      throttled_periods: values['nr_throttled'] ?? 0,
      throttled_time: ns('throttled_usec'),
    },
  }
}

const systemUsage = ({ usageNs, onlineCpus }: SystemCpu) => ({ system_cpu_usage: usageNs, online_cpus: onlineCpus })

export interface MemoryFiles {
  readonly usage: string | undefined
  readonly maxUsage?: string | undefined
  readonly failCount?: number | undefined
  readonly limit: string | undefined
  readonly stat: string | undefined
}

/** Without a limit of its own the container's limit is the machine's memory. */
export function memoryUsage(files: MemoryFiles, machineBytes: number): MemoryUsage {
  const maxUsage = parseNumber(files.maxUsage)
  return {
    usage: parseNumber(files.usage) ?? 0,
    ...(maxUsage !== undefined && { max_usage: maxUsage }),
    stats: parseKeyValues(files.stat ?? ''),
    ...(files.failCount && { failcnt: files.failCount }),
    limit: Math.min(parseNumber(files.limit) ?? machineBytes, machineBytes),
  }
}
