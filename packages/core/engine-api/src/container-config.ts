/** The portable part of a container's configuration, as `POST /containers/create` takes it and images carry it. */
export interface ContainerConfig {
  Hostname: string
  Domainname: string
  User: string
  AttachStdin: boolean
  AttachStdout: boolean
  AttachStderr: boolean
  ExposedPorts?: Record<string, Record<string, never>>
  Tty: boolean
  OpenStdin: boolean
  StdinOnce: boolean
  Env: string[]
  Cmd: string[] | null
  Healthcheck?: HealthConfig
  ArgsEscaped?: boolean
  /** The image reference as the client gave it. */
  Image: string
  Volumes: Record<string, Record<string, never>> | null
  WorkingDir: string
  Entrypoint: string[] | null
  NetworkDisabled?: boolean
  /** Deprecated since 1.44: lives in the endpoint settings. */
  MacAddress?: string
  OnBuild?: string[] | null
  Labels: Record<string, string>
  StopSignal?: string
  /** Seconds. */
  StopTimeout?: number
  Shell?: string[]
}

/** A healthcheck. Durations are nanoseconds; 0 or absent inherits. */
export interface HealthConfig {
  /** [] inherits, ['NONE'] disables, ['CMD', ...] executes, ['CMD-SHELL', text] runs by the shell. */
  Test?: string[]
  Interval?: number
  Timeout?: number
  StartPeriod?: number
  StartInterval?: number
  Retries?: number
}

export interface RestartPolicy {
  Name: '' | 'no' | 'always' | 'unless-stopped' | 'on-failure'
  MaximumRetryCount: number
}

export interface LogConfig {
  Type: string
  Config: Record<string, string>
}

export interface PortBinding {
  HostIp: string
  HostPort: string
}
export type PortMap = Record<string, PortBinding[] | null>

export interface DeviceMapping {
  PathOnHost: string
  PathInContainer: string
  CgroupPermissions: string
}

export interface DeviceRequest {
  Driver: string
  Count: number
  DeviceIDs: string[] | null
  Capabilities: string[][] | null
  Options: Record<string, string> | null
}

export interface Ulimit {
  Name: string
  Soft: number
  Hard: number
}

export interface WeightDevice {
  Path: string
  Weight: number
}
export interface ThrottleDevice {
  Path: string
  /** Bytes or operations a second. */
  Rate: number
}

/** What limits a container's use of the host: set at create, changed by update. */
export interface Resources {
  CpuShares: number
  Memory: number
  NanoCpus: number
  CgroupParent: string
  BlkioWeight: number
  BlkioWeightDevice: WeightDevice[] | null
  BlkioDeviceReadBps: ThrottleDevice[] | null
  BlkioDeviceWriteBps: ThrottleDevice[] | null
  BlkioDeviceReadIOps: ThrottleDevice[] | null
  BlkioDeviceWriteIOps: ThrottleDevice[] | null
  CpuPeriod: number
  CpuQuota: number
  CpuRealtimePeriod: number
  CpuRealtimeRuntime: number
  CpusetCpus: string
  CpusetMems: string
  Devices: DeviceMapping[] | null
  DeviceCgroupRules: string[] | null
  DeviceRequests: DeviceRequest[] | null
  KernelMemory?: number
  KernelMemoryTCP?: number
  MemoryReservation: number
  MemorySwap: number
  MemorySwappiness: number | null
  OomKillDisable: boolean | null
  /** null: unlimited is not asked for; 0 and -1 mean unlimited. */
  PidsLimit: number | null
  Ulimits: Ulimit[] | null
  CpuCount: number
  CpuPercent: number
  IOMaximumIOps: number
  IOMaximumBandwidth: number
}

export interface MountSpec {
  Type: 'bind' | 'volume' | 'tmpfs' | 'npipe' | 'cluster' | 'image'
  Source?: string
  Target: string
  ReadOnly?: boolean
  Consistency?: string
  BindOptions?: {
    Propagation?: string
    NonRecursive?: boolean
    CreateMountpoint?: boolean
    ReadOnlyNonRecursive?: boolean
    ReadOnlyForceRecursive?: boolean
  }
  VolumeOptions?: {
    NoCopy?: boolean
    Labels?: Record<string, string>
    DriverConfig?: { Name?: string; Options?: Record<string, string> }
    Subpath?: string
  }
  ImageOptions?: { Subpath?: string }
  TmpfsOptions?: { SizeBytes?: number; Mode?: number; Options?: string[][] }
}

/** The host-dependent part of a container's configuration. */
export interface HostConfig extends Resources {
  Binds: string[] | null
  ContainerIDFile: string
  LogConfig: LogConfig
  NetworkMode: string
  PortBindings: PortMap
  RestartPolicy: RestartPolicy
  AutoRemove: boolean
  VolumeDriver: string
  VolumesFrom: string[] | null
  Mounts?: MountSpec[]
  /** [height, width] in characters. */
  ConsoleSize: [number, number]
  Annotations?: Record<string, string>
  CapAdd: string[] | null
  CapDrop: string[] | null
  CgroupnsMode: '' | 'private' | 'host'
  Dns: string[] | null
  DnsOptions: string[] | null
  DnsSearch: string[] | null
  ExtraHosts: string[] | null
  GroupAdd: string[] | null
  IpcMode: string
  Cgroup: string
  Links: string[] | null
  OomScoreAdj: number
  PidMode: string
  Privileged: boolean
  PublishAllPorts: boolean
  ReadonlyRootfs: boolean
  SecurityOpt: string[] | null
  StorageOpt?: Record<string, string>
  Tmpfs?: Record<string, string>
  UTSMode: string
  UsernsMode: string
  /** Bytes. */
  ShmSize: number
  Sysctls?: Record<string, string>
  Runtime: string
  Isolation: string
  /** Absent at create: the defaults; [] stays []; null when privileged. */
  MaskedPaths?: string[] | null
  ReadonlyPaths?: string[] | null
  Init?: boolean
}

export interface EndpointIpamConfig {
  IPv4Address?: string
  IPv6Address?: string
  LinkLocalIPs?: string[]
}

/** One container's place in one network: what was asked for, and what it got. */
export interface EndpointSettings {
  IPAMConfig: EndpointIpamConfig | null
  Links: string[] | null
  Aliases: string[] | null
  MacAddress: string
  DriverOpts: Record<string, string> | null
  GwPriority: number
  NetworkID: string
  EndpointID: string
  Gateway: string
  IPAddress: string
  IPPrefixLen: number
  IPv6Gateway: string
  GlobalIPv6Address: string
  GlobalIPv6PrefixLen: number
  DNSNames: string[] | null
}

/** A decoded `POST /containers/create`, brought to the newest API version. */
export interface ContainerCreateRequest {
  readonly config: ContainerConfig
  readonly hostConfig: HostConfig
  /** Network name to what is asked of it. */
  readonly endpoints: Readonly<Record<string, EndpointSettings>>
  /** Without the slash; undefined: the engine chooses. */
  readonly name?: string
  /** os/arch[/variant], or undefined. */
  readonly platform?: string
}
