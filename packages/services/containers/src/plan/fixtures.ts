import type { ContainerId } from '@berth/base'
import { type ContainerConfig, decodeContainerCreate, type HostConfig, newestVersion } from '@berth/engine-api'
import type { ImageRunConfig } from '@berth/oci'
import { allCapabilities, type CgroupFacts, type HostFacts } from '@berth/runtime'
import { planContainer } from './plan-container.ts'
import type { ContainerPlan, DaemonDefaults, PlanContext } from './types.ts'

const cgroup: CgroupFacts = {
  version: 1,
  isHybrid: true,
  hasMemoryLimit: true,
  hasSwapLimit: true,
  hasMemoryReservation: true,
  hasMemorySwappiness: true,
  hasOomKillDisable: true,
  hasKernelMemory: true,
  hasKernelMemoryTcp: true,
  hasCpuShares: true,
  hasCpuCfs: true,
  hasCpuRealtime: true,
  hasCpuset: true,
  cpus: '0-1',
  mems: '0',
  hasPidsLimit: true,
  hasBlkioWeight: true,
  hasBlkioWeightDevice: true,
  hasBlkioReadBps: true,
  hasBlkioWriteBps: true,
  hasBlkioReadIops: true,
  hasBlkioWriteIops: true,
}

/** A machine of the tests: two processors, cgroup v1 with everything. */
export const testFacts: HostFacts = {
  architecture: 'amd64',
  kernelVersion: { major: 6, minor: 18, release: '6.18.44' },
  cpuCount: 2,
  memoryBytes: 8 * 1024 ** 3,
  capabilities: allCapabilities,
  boundingCapabilities: allCapabilities,
  hasAppArmor: false,
  hasSeccomp: true,
  hasSelinux: false,
  hasCgroupNamespaces: true,
  hasUserNamespaces: true,
  initPath: '/usr/bin/tini',
  hostname: 'vm',
  thermalThrottlePaths: [],
  cgroup,
}

/** The machine with other cgroups. */
export const factsWith = (changes: Partial<CgroupFacts>): HostFacts => ({
  ...testFacts,
  cgroup: { ...cgroup, ...changes },
})

/** cgroup v2, where some of v1's features are gone. */
export const factsOfV2 = factsWith({
  version: 2,
  isHybrid: false,
  hasMemorySwappiness: false,
  hasOomKillDisable: false,
  hasKernelMemory: false,
  hasKernelMemoryTcp: false,
  hasCpuRealtime: false,
})

export const testDefaults: DaemonDefaults = {
  logConfig: { Type: 'json-file', Config: {} },
  ulimits: {},
  init: false,
  shmSizeBytes: 67108864,
  ipcMode: 'private',
  cgroupnsMode: '',
  noNewPrivileges: false,
  seccompProfile: '',
  runtimes: ['crun', 'runc'],
  cgroupParent: '',
  cgroupDriver: 'cgroupfs',
  dataRoot: '/var/lib/berth',
}

export const testId = 'f00d'.repeat(16) as ContainerId

export interface PlanRequest {
  readonly config?: Partial<ContainerConfig>
  readonly hostConfig?: Partial<HostConfig>
  readonly image?: ImageRunConfig
  readonly context?: Partial<PlanContext>
}

/** The plan of a request as a client sends it. */
export function plan({ config, hostConfig, image, context }: PlanRequest): ContainerPlan {
  const request = decodeContainerCreate({ Image: 'busybox', ...config, HostConfig: hostConfig ?? {} }, newestVersion)
  const imageConfig = { os: 'linux', architecture: 'amd64', config: image ?? { Cmd: ['sh'] } }
  return planContainer(
    request,
    { config: { ...imageConfig, rootfs: { type: 'layers', diff_ids: [] } } },
    { id: testId, facts: testFacts, defaults: testDefaults, ...context },
  )
}
