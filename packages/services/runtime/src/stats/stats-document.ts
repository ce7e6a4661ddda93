import { zeroTime } from '@berth/base'
import type { ContainerStatsResponse } from '@berth/engine-api'
import { blkioStats, type StatsSample } from './read-stats.ts'

export interface StatsSubject {
  readonly id: string
  /** With the slash. */
  readonly name: string
}

/** Docker's document of one reading; `previous` is the reading before, of which clients compute percentages. */
export function statsDocument(
  { id, name }: StatsSubject,
  sample: StatsSample | undefined,
  options: { readonly previous?: StatsSample | undefined; readonly networks?: ContainerStatsResponse['networks'] } = {},
): ContainerStatsResponse {
  const { previous, networks } = options
  return {
    name,
    id,
    read: sample?.read ?? zeroTime,
    preread: previous?.read ?? zeroTime,
    pids_stats: sample?.pids_stats ?? {},
    blkio_stats: sample?.blkio_stats ?? blkioStats(),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: sample?.cpu_stats ?? noCpu(),
    precpu_stats: previous?.cpu_stats ?? noCpu(),
    memory_stats: sample?.memory_stats ?? {},
    ...(sample && networks && Object.keys(networks).length > 0 && { networks }),
  }
}

const noCpu = (): ContainerStatsResponse['cpu_stats'] => ({
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
})
