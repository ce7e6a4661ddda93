import type { ContainerId } from '@berth/base'
import { type ContainerConfig, decodeContainerCreate, type HostConfig, newestVersion } from '@berth/engine-api'
import type { ImageRunConfig } from '@berth/oci'
import { allCapabilities, type CgroupFacts, type HostFacts, testFacts as hybridFacts } from '@berth/runtime'
import { planContainer } from './plan-container.ts'
import type { ContainerPlan, DaemonDefaults, PlanContext } from './types.ts'

const cgroup: CgroupFacts = { ...hybridFacts.cgroup, hasBlkioWeight: true, hasBlkioWeightDevice: true }

/** A machine of the tests: two processors, cgroup v1 with everything. */
export const testFacts: HostFacts = { ...hybridFacts, boundingCapabilities: allCapabilities, cgroup }

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
  cgroupParent: '/docker',
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
    { id: testId, facts: testFacts, defaults: testDefaults, mountsOf: () => [], ...context },
  )
}
