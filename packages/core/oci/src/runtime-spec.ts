/** The OCI runtime configuration (runtime-spec v1.2, config.md and config-linux.md), as far as Berth writes it. */
export interface RuntimeSpec {
  ociVersion: string
  hostname?: string
  domainname?: string
  root: { path: string; readonly?: boolean }
  process: RuntimeProcess
  mounts: RuntimeMount[]
  annotations?: Record<string, string>
  linux: RuntimeLinux
}

export interface RuntimeProcess {
  terminal?: boolean
  consoleSize?: { height: number; width: number }
  user: { uid: number; gid: number; umask?: number; additionalGids?: number[] }
  args: string[]
  env: string[]
  cwd: string
  capabilities?: {
    bounding: string[]
    effective: string[]
    permitted: string[]
    inheritable?: string[]
    ambient?: string[]
  }
  rlimits?: { type: string; hard: number; soft: number }[]
  noNewPrivileges?: boolean
  apparmorProfile?: string
  selinuxLabel?: string
  oomScoreAdj?: number
}

export interface RuntimeMount {
  destination: string
  type?: string
  source?: string
  options?: string[]
}

export interface RuntimeLinux {
  namespaces: { type: 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup'; path?: string }[]
  uidMappings?: { containerID: number; hostID: number; size: number }[]
  gidMappings?: { containerID: number; hostID: number; size: number }[]
  devices?: {
    type: 'c' | 'b' | 'u' | 'p'
    path: string
    major?: number
    minor?: number
    fileMode?: number
    uid?: number
    gid?: number
  }[]
  cgroupsPath?: string
  resources?: RuntimeResources
  sysctl?: Record<string, string>
  seccomp?: RuntimeSeccomp
  rootfsPropagation?: string
  maskedPaths?: string[]
  readonlyPaths?: string[]
  mountLabel?: string
}

export interface RuntimeResources {
  devices?: { allow: boolean; type?: string; major?: number; minor?: number; access?: string }[]
  memory?: {
    limit?: number
    reservation?: number
    swap?: number
    kernel?: number
    swappiness?: number
    disableOOMKiller?: boolean
  }
  cpu?: {
    shares?: number
    quota?: number
    period?: number
    realtimeRuntime?: number
    realtimePeriod?: number
    cpus?: string
    mems?: string
  }
  pids?: { limit: number }
  blockIO?: {
    weight?: number
    weightDevice?: { major: number; minor: number; weight: number }[]
    throttleReadBpsDevice?: ThrottleRate[]
    throttleWriteBpsDevice?: ThrottleRate[]
    throttleReadIOPSDevice?: ThrottleRate[]
    throttleWriteIOPSDevice?: ThrottleRate[]
  }
  unified?: Record<string, string>
}

export interface ThrottleRate {
  major: number
  minor: number
  rate: number
}

export interface RuntimeSeccomp {
  defaultAction: string
  defaultErrnoRet?: number
  architectures?: string[]
  flags?: string[]
  syscalls?: {
    names: string[]
    action: string
    errnoRet?: number
    args?: { index: number; value: number; valueTwo?: number; op: string }[]
  }[]
}
