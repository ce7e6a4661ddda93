/** What the host can do, read once when the engine starts (`readHostFacts`). Plain data: plans are pure functions of it. */
export interface HostFacts {
  readonly cgroup: CgroupFacts
  /** OCI/Go name: amd64, arm64, ... */
  readonly architecture: string
  readonly kernelVersion: { readonly major: number; readonly minor: number; readonly release: string }
  readonly cpuCount: number
  readonly memoryBytes: number
  /** The names that the kernel knows, `CAP_CHOWN` first (bit order). */
  readonly capabilities: readonly string[]
  /** Those of `capabilities` that the engine itself may give away (its bounding set). */
  readonly boundingCapabilities: readonly string[]
  readonly hasAppArmor: boolean
  readonly hasSeccomp: boolean
  readonly hasSelinux: boolean
  readonly hasCgroupNamespaces: boolean
  readonly hasUserNamespaces: boolean
  /** tini, docker-init or catatonit; undefined when none is installed. */
  readonly initPath: string | undefined
  readonly hostname: string
  /** The per-CPU files of this machine that are masked beside Docker's list. */
  readonly thermalThrottlePaths: readonly string[]
}

/** The cgroup tree and what its controllers offer. `version` 1 covers hybrid trees. */
export interface CgroupFacts {
  readonly version: 1 | 2
  readonly isHybrid: boolean
  readonly hasMemoryLimit: boolean
  readonly hasSwapLimit: boolean
  readonly hasMemoryReservation: boolean
  readonly hasMemorySwappiness: boolean
  readonly hasOomKillDisable: boolean
  readonly hasKernelMemory: boolean
  readonly hasKernelMemoryTcp: boolean
  readonly hasCpuShares: boolean
  readonly hasCpuCfs: boolean
  readonly hasCpuRealtime: boolean
  readonly hasCpuset: boolean
  /** CPUs and memory nodes that may be asked for, as a list: `0-1`. */
  readonly cpus: string
  readonly mems: string
  readonly hasPidsLimit: boolean
  readonly hasBlkioWeight: boolean
  readonly hasBlkioWeightDevice: boolean
  readonly hasBlkioReadBps: boolean
  readonly hasBlkioWriteBps: boolean
  readonly hasBlkioReadIops: boolean
  readonly hasBlkioWriteIops: boolean
}
