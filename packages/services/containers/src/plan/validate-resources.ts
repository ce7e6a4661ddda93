import { invalid } from '@berth/base'
import type { Resources, Ulimit } from '@berth/engine-api'
import type { HostFacts } from '@berth/runtime'
import { isCpuListWithin, parseCpuList } from './cpu-list.ts'

const minMemoryBytes = 6 * 1024 ** 2

export interface ValidResources<T extends Resources> {
  readonly resources: T
  readonly warnings: readonly string[]
}

type Change = { readonly changes?: Partial<Resources>; readonly warning?: string }

/**
 * Resources brought to what this host can do, with a warning for each that it cannot, in Docker's words. Throws `invalid`
 * for values that make no sense. `isUpdate`: swap may be given alone, as it joins the memory limit of before.
 */
export function validateResources<T extends Resources>(
  resources: T,
  facts: HostFacts,
  isUpdate = false,
): ValidResources<T> {
  const warnings: string[] = []
  let current = resources
  for (const rule of [memory, swappiness, reservation, kernelMemory, oomKill, pids, cpu, cpuset, blkio, ulimits]) {
    for (const { changes, warning } of rule(current, facts, isUpdate)) {
      current = { ...current, ...changes }
      if (warning !== undefined) warnings.push(warning)
    }
  }
  return { resources: current, warnings }
}

function memory({ Memory, MemorySwap }: Resources, { cgroup }: HostFacts, isUpdate: boolean): Change[] {
  if (Memory !== 0 && Memory < minMemoryBytes) throw invalid('Minimum memory limit allowed is 6MB')
  if (Memory > 0 && !cgroup.hasMemoryLimit) {
    return [discard('memory limit capabilities', 'Limitation discarded', { Memory: 0, MemorySwap: -1 })]
  }
  if (Memory > 0 && MemorySwap !== -1 && !cgroup.hasSwapLimit) {
    return [discard('swap limit capabilities', 'Memory limited without swap', { MemorySwap: -1 })]
  }
  if (Memory > 0 && MemorySwap > 0 && MemorySwap < Memory) {
    throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage')
  }
  if (Memory === 0 && MemorySwap > 0 && !isUpdate) {
    throw invalid('You should always set the Memory limit when using Memoryswap limit, see usage')
  }
  return []
}

function swappiness({ MemorySwappiness: value }: Resources, { cgroup }: HostFacts): Change[] {
  if (value === null) return []
  if (value === -1) return [{ changes: { MemorySwappiness: null } }]
  if (!cgroup.hasMemorySwappiness) {
    return [discard('memory swappiness capabilities', 'Memory swappiness discarded', { MemorySwappiness: null })]
  }
  if (value < 0 || value > 100) throw invalid(`Invalid value: ${value}, valid memory swappiness range is 0-100`)
  return []
}

function reservation({ Memory, MemoryReservation: value }: Resources, { cgroup }: HostFacts): Change[] {
  if (value > 0 && !cgroup.hasMemoryReservation) {
    return [discard('memory soft limit capabilities', 'Limitation discarded', { MemoryReservation: 0 })]
  }
  if (value < 0 || (value > 0 && value < minMemoryBytes)) throw invalid('Minimum memory reservation allowed is 6MB')
  if (Memory > 0 && Memory < value) {
    throw invalid('Minimum memory limit can not be less than memory reservation limit, see usage')
  }
  return []
}

/** Gone from the kernel since 5.4: never applied. */
function kernelMemory(resources: Resources): Change[] {
  const features = { KernelMemory: 'kernel memory limit', KernelMemoryTCP: 'kernel memory TCP limit' } as const
  return (['KernelMemory', 'KernelMemoryTCP'] as const).flatMap((name) => {
    const value = resources[name]
    if (value === undefined) return []
    const changes = { [name]: undefined }
    return [value > 0 ? discard(`${features[name]} capabilities`, 'Limitation discarded', changes) : { changes }]
  })
}

function oomKill({ OomKillDisable: value, Memory }: Resources, { cgroup }: HostFacts): Change[] {
  if (!cgroup.hasOomKillDisable) {
    const warning = 'Your kernel does not support OomKillDisable. OomKillDisable discarded.'
    return [{ changes: { OomKillDisable: null }, ...(value ? { warning } : {}) }]
  }
  if (value === null) return [{ changes: { OomKillDisable: false } }]
  if (!value || Memory > 0) return []
  const warning =
    'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.'
  return [{ warning }]
}

function pids({ PidsLimit: value }: Resources, { cgroup }: HostFacts, isUpdate: boolean): Change[] {
  if (value === null) return []
  if (value <= 0) return isUpdate ? [] : [{ changes: { PidsLimit: null } }]
  if (cgroup.hasPidsLimit) return []
  return [discard('PIDs limit capabilities', 'PIDs limit discarded', { PidsLimit: null })]
}

function cpu(resources: Resources, facts: HostFacts): Change[] {
  validateNanoCpus(resources, facts)
  validateRealtime(resources, facts)
  const { CpuShares, CpuPeriod, CpuQuota, CpuPercent } = resources
  const { cgroup } = facts
  if (CpuShares < 0) throw invalid(`invalid CPU shares (${CpuShares}): value must be a positive integer`)
  const changes: Change[] = []
  if (CpuShares > 0 && !cgroup.hasCpuShares) changes.push(discard('CPU shares', 'Shares discarded', { CpuShares: 0 }))
  if ((CpuPeriod !== 0 || CpuQuota !== 0) && !cgroup.hasCpuCfs) {
    const warning = 'Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.'
    changes.push({ changes: { CpuPeriod: 0, CpuQuota: 0 }, warning })
  } else {
    validateCfs(resources)
  }
  if (CpuPercent > 0) {
    changes.push({ changes: { CpuPercent: 0 }, warning: 'linux does not support CPU percent. Percent discarded.' })
  }
  return changes
}

function validateNanoCpus({ NanoCpus, CpuPeriod, CpuQuota }: Resources, { cgroup, cpuCount }: HostFacts): void {
  if (NanoCpus > 0 && CpuPeriod > 0) {
    throw invalid('Conflicting options: Nano CPUs and CPU Period cannot both be set')
  }
  if (NanoCpus > 0 && CpuQuota > 0) throw invalid('Conflicting options: Nano CPUs and CPU Quota cannot both be set')
  if (NanoCpus > 0 && !cgroup.hasCpuCfs) {
    throw invalid(
      'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
    )
  }
  if (NanoCpus < 0 || NanoCpus > cpuCount * 1e9) {
    throw invalid(`range of CPUs is from 0.01 to ${cpuCount}.00, as there are only ${cpuCount} CPUs available`)
  }
}

function validateCfs({ CpuPeriod, CpuQuota }: Resources): void {
  if (CpuPeriod !== 0 && (CpuPeriod < 1000 || CpuPeriod > 1_000_000)) {
    throw invalid('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)')
  }
  if (CpuQuota > 0 && CpuQuota < 1000) throw invalid('CPU cfs quota can not be less than 1ms (i.e. 1000)')
}

function validateRealtime({ CpuRealtimePeriod, CpuRealtimeRuntime }: Resources, { cgroup }: HostFacts): void {
  if (CpuRealtimePeriod === 0 && CpuRealtimeRuntime === 0) return
  if (!cgroup.hasCpuRealtime) throw invalid('Your kernel does not support CPU real-time scheduler')
  if (CpuRealtimePeriod !== 0 && CpuRealtimeRuntime > CpuRealtimePeriod) {
    throw invalid('cpu real-time runtime cannot be higher than cpu real-time period')
  }
}

function cpuset({ CpusetCpus, CpusetMems }: Resources, { cgroup }: HostFacts): Change[] {
  if (CpusetCpus === '' && CpusetMems === '') return []
  if (!cgroup.hasCpuset) return [discard('cpuset', 'Cpuset discarded', { CpusetCpus: '', CpusetMems: '' })]
  requireAvailable('cpuset cpus', 'CPUs', CpusetCpus, cgroup.cpus)
  requireAvailable('cpuset mems', 'memory nodes', CpusetMems, cgroup.mems)
  return []
}

function requireAvailable(option: string, what: string, list: string, available: string): void {
  const requested = parseCpuList(list)
  if (typeof requested === 'string') throw invalid(`Invalid value ${list} for ${option}: ${requested}`)
  if (isCpuListWithin(requested, available)) return
  throw invalid(`Requested ${what} are not available - requested ${list}, available: ${available}`)
}

function blkio(resources: Resources, { cgroup }: HostFacts): Change[] {
  const { BlkioWeight: weight, IOMaximumBandwidth, IOMaximumIOps } = resources
  if (weight > 0 && cgroup.hasBlkioWeight && (weight < 10 || weight > 1000)) {
    throw invalid('Range of blkio weight is from 10 to 1000')
  }
  if (IOMaximumBandwidth !== 0) {
    throw invalid('invalid option: QoS maximum bandwidth configuration is not supported on linux')
  }
  if (IOMaximumIOps !== 0) throw invalid('invalid option: QoS maximum IOPs configuration is not supported on linux')
  const changes = blkioLists(resources, cgroup)
  if (weight > 0 && !cgroup.hasBlkioWeight) {
    changes.unshift(discard('Block I/O weight', 'Weight discarded', { BlkioWeight: 0 }))
  }
  return changes
}

function blkioLists(resources: Resources, cgroup: HostFacts['cgroup']): Change[] {
  const lists = [
    ['BlkioWeightDevice', cgroup.hasBlkioWeightDevice, 'Block I/O weight_device', 'Weight-device'],
    ['BlkioDeviceReadBps', cgroup.hasBlkioReadBps, 'BPS Block I/O read limit', 'Block I/O BPS read limit'],
    ['BlkioDeviceWriteBps', cgroup.hasBlkioWriteBps, 'BPS Block I/O write limit', 'Block I/O BPS write limit'],
    ['BlkioDeviceReadIOps', cgroup.hasBlkioReadIops, 'IOPS Block read limit', 'Block I/O IOPS read limit'],
    ['BlkioDeviceWriteIOps', cgroup.hasBlkioWriteIops, 'IOPS Block write limit', 'Block I/O IOPS write limit'],
  ] as const
  return lists
    .filter(([name, isPossible]) => !isPossible && (resources[name]?.length ?? 0) > 0)
    .map(([name, , feature, what]) => discard(feature, `${what} discarded`, { [name]: [] }))
}

const ulimitNames =
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' ')

/** Throws `invalid` for a limit that there is not, and for a soft one above its hard one. */
export function checkUlimits(limits: readonly Ulimit[]): void {
  for (const { Name: name, Soft: soft, Hard: hard } of limits) {
    if (!ulimitNames.includes(name.toLowerCase())) throw invalid(`invalid ulimit type: ${name}`)
    const isAbove = hard !== -1 && (soft === -1 || soft > hard)
    if (isAbove) throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`)
  }
}

function ulimits({ Ulimits }: Resources): Change[] {
  checkUlimits(Ulimits ?? [])
  return []
}

function discard(feature: string, consequence: string, changes: Partial<Resources>): Change {
  return { changes, warning: `Your kernel does not support ${feature} or the cgroup is not mounted. ${consequence}.` }
}
