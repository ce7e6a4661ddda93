import type { ContainerSummary } from './container.ts'
import type { ImageSummary } from './image.ts'
import type { VolumeResponse } from './network.ts'

export interface ComponentVersion {
  Name: string
  Version: string
  Details?: Record<string, string>
}

/** `GET /version`. */
export interface VersionResponse {
  Platform: { Name: string }
  Components: ComponentVersion[]
  Version: string
  ApiVersion: string
  MinAPIVersion: string
  GitCommit: string
  GoVersion: string
  Os: string
  Arch: string
  KernelVersion: string
  BuildTime?: string
  Experimental?: boolean
}

export interface CommitInfo {
  ID: string
  /** Until 1.48. */
  Expected?: string
}

export interface RuntimeInfo {
  path?: string
  runtimeArgs?: string[]
  /** From 1.44. */
  status?: Record<string, string>
}

export interface RegistryConfigInfo {
  AllowNondistributableArtifactsCIDRs?: string[] | null
  AllowNondistributableArtifactsHostnames?: string[] | null
  InsecureRegistryCIDRs: string[]
  IndexConfigs: Record<string, { Name: string; Mirrors: string[]; Secure: boolean; Official: boolean }>
  Mirrors: string[] | null
}

/** `GET /info`. */
export interface InfoResponse {
  ID: string
  Containers: number
  ContainersRunning: number
  ContainersPaused: number
  ContainersStopped: number
  Images: number
  Driver: string
  DriverStatus: [string, string][]
  SystemStatus?: [string, string][] | null
  Plugins: { Volume: string[]; Network: string[]; Authorization: string[] | null; Log: string[] }
  MemoryLimit: boolean
  SwapLimit: boolean
  /** Until 1.41. */
  KernelMemory?: boolean
  KernelMemoryTCP?: boolean
  CpuCfsPeriod: boolean
  CpuCfsQuota: boolean
  CPUShares: boolean
  CPUSet: boolean
  PidsLimit: boolean
  IPv4Forwarding: boolean
  /** Until 1.49. */
  BridgeNfIptables?: boolean
  BridgeNfIp6tables?: boolean
  Debug: boolean
  NFd: number
  OomKillDisable: boolean
  NGoroutines: number
  SystemTime: string
  LoggingDriver: string
  CgroupDriver: string
  CgroupVersion?: string
  NEventsListener: number
  KernelVersion: string
  OperatingSystem: string
  OSVersion: string
  OSType: string
  Architecture: string
  IndexServerAddress: string
  RegistryConfig: RegistryConfigInfo | null
  NCPU: number
  /** Bytes. */
  MemTotal: number
  GenericResources: null
  DockerRootDir: string
  HttpProxy: string
  HttpsProxy: string
  NoProxy: string
  Name: string
  Labels: string[]
  ExperimentalBuild: boolean
  ServerVersion: string
  Runtimes: Record<string, RuntimeInfo>
  DefaultRuntime: string
  Swarm: {
    NodeID: string
    NodeAddr: string
    LocalNodeState: string
    ControlAvailable: boolean
    Error: string
    RemoteManagers: null
  }
  LiveRestoreEnabled: boolean
  Isolation: string
  InitBinary: string
  ContainerdCommit: CommitInfo
  RuncCommit: CommitInfo
  InitCommit: CommitInfo
  SecurityOptions: string[]
  ProductLicense?: string
  DefaultAddressPools?: { Base: string; Size: number }[]
  /** From 1.49. */
  FirewallBackend?: { Driver: string; Info?: [string, string][] }
  CDISpecDirs: string[]
  Warnings: string[] | null
}

export interface BuildCacheRecord {
  ID: string
  Parents?: string[] | null
  Type?: string
  Description?: string
  InUse?: boolean
  Shared?: boolean
  /** Bytes. */
  Size: number
  CreatedAt?: string
  LastUsedAt?: string | null
  UsageCount?: number
}

/** `GET /system/df`; the parts that were not asked for are absent or null. */
export interface DiskUsageResponse {
  /** Bytes of all layers. */
  LayersSize?: number
  Images?: ImageSummary[] | null
  Containers?: ContainerSummary[] | null
  Volumes?: VolumeResponse[] | null
  BuildCache?: BuildCacheRecord[] | null
}
