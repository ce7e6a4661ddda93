import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '@berth/base'
import { type Cgroups, detectCgroups } from '@berth/linux'
import type { CgroupFacts } from './host-facts.ts'

/** What the cgroup controllers of this machine offer. */
export function readCgroupFacts(cgroups: Cgroups = detectCgroups()): CgroupFacts {
  return cgroups.version === 2 ? readV2(cgroups) : readV1(cgroups)
}

/** By the files of the root cgroups (Documentation/admin-guide/cgroup-v1). */
function readV1(cgroups: Cgroups): CgroupFacts {
  const has = (controller: string, file = '') => {
    const mountPoint = cgroups.controllers.get(controller)
    return mountPoint !== undefined && existsSync(join(mountPoint, file))
  }
  const cpuset = cgroups.controllers.get('cpuset')
  return {
    version: 1,
    isHybrid: cgroups.version === 'hybrid',
    hasMemoryLimit: has('memory', 'memory.limit_in_bytes'),
    hasSwapLimit: has('memory', 'memory.memsw.limit_in_bytes'),
    hasMemoryReservation: has('memory', 'memory.soft_limit_in_bytes'),
    hasMemorySwappiness: has('memory', 'memory.swappiness'),
    hasOomKillDisable: has('memory', 'memory.oom_control'),
    hasKernelMemory: has('memory', 'memory.kmem.limit_in_bytes'),
    hasKernelMemoryTcp: has('memory', 'memory.kmem.tcp.limit_in_bytes'),
    hasCpuShares: has('cpu', 'cpu.shares'),
    hasCpuCfs: has('cpu', 'cpu.cfs_quota_us'),
    hasCpuRealtime: has('cpu', 'cpu.rt_period_us'),
    hasCpuset: cpuset !== undefined,
    cpus: cpuset === undefined ? '' : readText(join(cpuset, 'cpuset.cpus')),
    mems: cpuset === undefined ? '' : readText(join(cpuset, 'cpuset.mems')),
    hasPidsLimit: has('pids'),
    hasBlkioWeight: has('blkio', 'blkio.weight'),
    hasBlkioWeightDevice: has('blkio', 'blkio.weight_device'),
    hasBlkioReadBps: has('blkio', 'blkio.throttle.read_bps_device'),
    hasBlkioWriteBps: has('blkio', 'blkio.throttle.write_bps_device'),
    hasBlkioReadIops: has('blkio', 'blkio.throttle.read_iops_device'),
    hasBlkioWriteIops: has('blkio', 'blkio.throttle.write_iops_device'),
  }
}

/** By the controllers' names: the root cgroup has no limit files (Documentation/admin-guide/cgroup-v2.rst). */
function readV2(cgroups: Cgroups): CgroupFacts {
  const has = (controller: string) => cgroups.controllers.has(controller)
  const root = cgroups.unified ?? '/sys/fs/cgroup'
  return {
    version: 2,
    isHybrid: false,
    hasMemoryLimit: has('memory'),
    hasSwapLimit: has('memory') && hasSwapFile(root),
    hasMemoryReservation: has('memory'),
    hasMemorySwappiness: false,
    hasOomKillDisable: false,
    hasKernelMemory: false,
    hasKernelMemoryTcp: false,
    hasCpuShares: has('cpu'),
    hasCpuCfs: has('cpu'),
    hasCpuRealtime: false,
    hasCpuset: has('cpuset'),
    cpus: readText(join(root, 'cpuset.cpus.effective')),
    mems: readText(join(root, 'cpuset.mems.effective')),
    hasPidsLimit: has('pids'),
    hasBlkioWeight: has('io'),
    hasBlkioWeightDevice: has('io'),
    hasBlkioReadBps: has('io'),
    hasBlkioWriteBps: has('io'),
    hasBlkioReadIops: has('io'),
    hasBlkioWriteIops: has('io'),
  }
}

/** The engine's own cgroup has the file where the kernel counts swap; in the root cgroup nothing can be told. */
function hasSwapFile(root: string): boolean {
  const own = readText('/proc/self/cgroup').replace(/^0::/, '')
  return own === '/' || existsSync(join(root, own, 'memory.swap.max'))
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ''
    throw error
  }
}
