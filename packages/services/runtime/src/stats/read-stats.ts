import { readFile } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { codeOf, nowText } from '@berth/base'
import type { ContainerStatsResponse } from '@berth/engine-api'
import { type Cgroups, controllerPath, detectCgroups } from '@berth/linux'
import {
  cpuUsageV1,
  cpuUsageV2,
  memoryUsage,
  parseBlkioV1,
  parseIoStat,
  parseKeyValues,
  parseNumber,
  parseSystemCpu,
  type SystemCpu,
} from './parse-stats.ts'

/** What a container's cgroup counted at one moment, in the words of Docker's document. */
export type StatsSample = Pick<
  ContainerStatsResponse,
  'read' | 'cpu_stats' | 'memory_stats' | 'pids_stats' | 'blkio_stats'
>

let known: Cgroups | undefined

/** Reads the counters of the cgroup `cgroupsPath`; those of a cgroup that is gone are zero. */
export async function readStats(cgroupsPath: string, cgroups = (known ??= detectCgroups())): Promise<StatsSample> {
  const system = parseSystemCpu(await readFile('/proc/stat', 'utf8'))
  return cgroups.version === 2 ? await readV2(cgroups, cgroupsPath, system) : await readV1(cgroups, cgroupsPath, system)
}

async function readV1(cgroups: Cgroups, cgroupsPath: string, system: SystemCpu): Promise<StatsSample> {
  const read = (controller: string, file: string) => {
    const directory = controllerPath(cgroups, controller, cgroupsPath)
    return directory === undefined ? undefined : readText(join(directory, file))
  }
  const [usage, usagePerCpu, acctStat, cpuStat, memory, maxMemory, limit, memoryStat, failed, pids, maxPids, ...io] =
    await Promise.all([
      read('cpuacct', 'cpuacct.usage'),
      read('cpuacct', 'cpuacct.usage_percpu'),
      read('cpuacct', 'cpuacct.stat'),
      read('cpu', 'cpu.stat'),
      read('memory', 'memory.usage_in_bytes'),
      read('memory', 'memory.max_usage_in_bytes'),
      read('memory', 'memory.limit_in_bytes'),
      read('memory', 'memory.stat'),
      read('memory', 'memory.failcnt'),
      read('pids', 'pids.current'),
      read('pids', 'pids.max'),
      read('blkio', 'blkio.throttle.io_service_bytes_recursive'),
      read('blkio', 'blkio.throttle.io_serviced_recursive'),
    ])
  const files = { usage: memory, maxUsage: maxMemory, failCount: parseNumber(failed), limit, stat: memoryStat }
  return {
    read: nowText(),
    cpu_stats: cpuUsageV1({ usage, usagePerCpu, acctStat, cpuStat }, system),
    memory_stats: memoryUsage(files, totalmem()),
    pids_stats: pidsStats(pids, maxPids),
    blkio_stats: blkioStats(parseBlkioV1(io[0]), parseBlkioV1(io[1]), []),
  }
}

async function readV2(cgroups: Cgroups, cgroupsPath: string, system: SystemCpu): Promise<StatsSample> {
  const directory = join(cgroups.unified ?? '/sys/fs/cgroup', cgroupsPath)
  const names = 'cpu.stat memory.current memory.max memory.stat memory.events pids.current pids.max io.stat'.split(' ')
  const [cpuStat, usage, limit, stat, events, pids, maxPids, io] = await Promise.all(
    names.map((name) => readText(join(directory, name))),
  )
  const files = { usage, limit, stat, failCount: parseKeyValues(events ?? '')['oom'] }
  return {
    read: nowText(),
    cpu_stats: cpuUsageV2(cpuStat, system),
    memory_stats: memoryUsage(files, totalmem()),
    pids_stats: pidsStats(pids, maxPids),
    blkio_stats: blkioStats(parseIoStat(io), null),
  }
}

/** No limit is left out: its number, 2^64 - 1, is beyond what JSON readers keep. */
function pidsStats(current: string | undefined, max: string | undefined): StatsSample['pids_stats'] {
  const limit = parseNumber(max)
  return { current: parseNumber(current) ?? 0, ...(limit !== undefined && { limit }) }
}

type BlkioList = StatsSample['blkio_stats'][string] | undefined

/** Only what the kernel still counts is filled in; the `others` were those of a scheduler long gone. */
export function blkioStats(
  bytes: BlkioList = null,
  operations: BlkioList = null,
  others: [] | null = null,
): StatsSample['blkio_stats'] {
  return {
    io_service_bytes_recursive: bytes,
    io_serviced_recursive: operations,
    io_queue_recursive: others,
    io_service_time_recursive: others,
    io_wait_time_recursive: others,
    io_merged_recursive: others,
    io_time_recursive: others,
    sectors_recursive: others,
  }
}

/** undefined when the cgroup, or the file in this kernel, does not exist. */
async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'latin1')
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'EOPNOTSUPP'].includes(codeOf(error) ?? '')) return undefined
    throw error
  }
}
