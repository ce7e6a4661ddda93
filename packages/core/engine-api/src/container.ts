import type { ContainerConfig, EndpointSettings, HostConfig, PortBinding } from './container-config.ts'

/** The body of every error: `{"message": "..."}`. */
export interface ErrorResponse {
  message: string
}

export interface ContainerCreateResponse {
  Id: string
  Warnings: string[]
}

export interface HealthLogEntry {
  /** RFC 3339, nanoseconds. */
  Start: string
  End: string
  ExitCode: number
  Output: string
}

export interface HealthState {
  Status: 'none' | 'starting' | 'healthy' | 'unhealthy'
  FailingStreak: number
  Log: HealthLogEntry[]
}

export interface ContainerStateResponse {
  Status: string
  Running: boolean
  Paused: boolean
  Restarting: boolean
  OOMKilled: boolean
  Dead: boolean
  Pid: number
  ExitCode: number
  Error: string
  /** RFC 3339, nanoseconds; the zero time when never. */
  StartedAt: string
  FinishedAt: string
  Health?: HealthState
}

export interface MountPointResponse {
  Type: string
  Name?: string
  Source: string
  Destination: string
  Driver?: string
  Mode: string
  RW: boolean
  Propagation: string
}

export interface NetworkSettingsResponse {
  Bridge: string
  SandboxID: string
  SandboxKey: string
  Ports: Record<string, PortBinding[] | null>
  HairpinMode: boolean
  LinkLocalIPv6Address: string
  LinkLocalIPv6PrefixLen: number
  SecondaryIPAddresses: null
  SecondaryIPv6Addresses: null
  /** These eight repeat the default bridge's endpoint. */
  EndpointID: string
  Gateway: string
  GlobalIPv6Address: string
  GlobalIPv6PrefixLen: number
  IPAddress: string
  IPPrefixLen: number
  IPv6Gateway: string
  MacAddress: string
  Networks: Record<string, EndpointSettings>
}

export interface GraphDriverResponse {
  Data: Record<string, string> | null
  Name: string
}

/** `GET /containers/{id}/json`. */
export interface ContainerInspectResponse {
  Id: string
  Created: string
  Path: string
  Args: string[]
  State: ContainerStateResponse
  Image: string
  ResolvConfPath: string
  HostnamePath: string
  HostsPath: string
  LogPath: string
  Name: string
  RestartCount: number
  Driver: string
  Platform: string
  MountLabel: string
  ProcessLabel: string
  AppArmorProfile: string
  ExecIDs: string[] | null
  HostConfig: HostConfig
  GraphDriver: GraphDriverResponse
  /** Bytes; with `size=1` only. */
  SizeRw?: number
  SizeRootFs?: number
  Mounts: MountPointResponse[]
  Config: Omit<ContainerConfig, 'Env'> & { Env: string[] | null }
  NetworkSettings: NetworkSettingsResponse
}

/** One published or exposed port of `GET /containers/json`. */
export interface PortSummary {
  IP?: string
  PrivatePort: number
  PublicPort?: number
  Type: string
}

/** One entry of `GET /containers/json`. */
export interface ContainerSummary {
  Id: string
  /** With the leading slash. */
  Names: string[]
  Image: string
  ImageID: string
  Command: string
  /** Seconds since the epoch. */
  Created: number
  Ports: PortSummary[]
  SizeRw?: number
  SizeRootFs?: number
  Labels: Record<string, string>
  State: string
  /** `Up 3 minutes (healthy)`. */
  Status: string
  HostConfig: { NetworkMode: string; Annotations?: Record<string, string> }
  NetworkSettings: { Networks: Record<string, EndpointSettings> }
  Mounts: MountPointResponse[]
}

/** `POST /containers/{id}/wait`. */
export interface ContainerWaitResponse {
  StatusCode: number
  Error?: { Message: string }
}

export interface ContainerUpdateResponse {
  Warnings: string[] | null
}

export interface ContainerTopResponse {
  Titles: string[]
  Processes: string[][]
}

/** One changed path: 0 modified, 1 added, 2 deleted. */
export interface ContainerChangeResponse {
  Path: string
  Kind: 0 | 1 | 2
}

export interface ContainersPruneResponse {
  ContainersDeleted: string[] | null
  /** Bytes. */
  SpaceReclaimed: number
}

export interface CommitResponse {
  Id: string
}

export interface CpuStats {
  cpu_usage: {
    /** Nanoseconds. */
    total_usage: number
    percpu_usage?: number[]
    usage_in_kernelmode: number
    usage_in_usermode: number
  }
  /** Nanoseconds of all processors together. */
  system_cpu_usage?: number
  online_cpus?: number
  throttling_data: { periods: number; throttled_periods: number; throttled_time: number }
}

export interface BlkioEntry {
  major: number
  minor: number
  op: string
  value: number
}

export interface NetworkStats {
  rx_bytes: number
  rx_packets: number
  rx_errors: number
  rx_dropped: number
  tx_bytes: number
  tx_packets: number
  tx_errors: number
  tx_dropped: number
}

/** One document of `GET /containers/{id}/stats`. */
export interface ContainerStatsResponse {
  name: string
  id: string
  read: string
  preread: string
  pids_stats: { current?: number; limit?: number }
  blkio_stats: Record<string, BlkioEntry[] | null>
  num_procs: number
  storage_stats: Record<string, number>
  cpu_stats: CpuStats
  precpu_stats: CpuStats
  /** Bytes; `stats` is the kernel's memory.stat. */
  memory_stats: {
    usage?: number
    max_usage?: number
    failcnt?: number
    limit?: number
    stats?: Record<string, number>
  }
  networks?: Record<string, NetworkStats>
}
