export { decodeVolumeCreate, type VolumeCreateRequest } from './decode-volume-create.ts'
export { emptyEndpoint } from './adapt-create.ts'
export type {
  ContainerConfig,
  ContainerCreateRequest,
  DeviceMapping,
  DeviceRequest,
  EndpointIpamConfig,
  EndpointSettings,
  HealthConfig,
  HostConfig,
  LogConfig,
  MountSpec,
  PortBinding,
  PortMap,
  Resources,
  RestartPolicy,
  ThrottleDevice,
  Ulimit,
  WeightDevice,
} from './container-config.ts'
export type {
  BlkioEntry,
  CommitResponse,
  ContainerChangeResponse,
  ContainerCreateResponse,
  ContainerInspectResponse,
  ContainersPruneResponse,
  ContainerStateResponse,
  ContainerStatsResponse,
  ContainerSummary,
  ContainerTopResponse,
  ContainerUpdateResponse,
  ContainerWaitResponse,
  CpuStats,
  ErrorResponse,
  GraphDriverResponse,
  HealthLogEntry,
  HealthState,
  MountPointResponse,
  NetworkSettingsResponse,
  NetworkStats,
  PortSummary,
} from './container.ts'
export {
  type ContainerUpdateRequest,
  decodeCommit,
  decodeContainerCreate,
  decodeContainerUpdate,
  decodeExecCreate,
  decodeExecStart,
} from './decode-requests.ts'
export {
  decodeNetworkConnect,
  decodeNetworkCreate,
  decodeNetworkDisconnect,
  type IpamConfig,
  type NetworkConnectRequest,
  type NetworkCreateRequest,
  type NetworkDisconnectRequest,
} from './decode-network.ts'
export type { EventMessage } from './events.ts'
export type { ExecCreateRequest, ExecCreateResponse, ExecInspectResponse, ExecStartRequest } from './exec.ts'
export { boolFilter, checkFilters, decodeFilters, type Filters } from './filters.ts'
export { parseJson } from './go-json.ts'
export type {
  AuthResponse,
  DistributionResponse,
  ImageConfigResponse,
  ImageDeleteResponseItem,
  ImageHistoryResponseItem,
  ImageInspectResponse,
  ImagesPruneResponse,
  ImageSummary,
  ManifestSummary,
  ProgressMessage,
  SearchResultResponse,
} from './image.ts'
export type { NetworkContainer, NetworkResponse, VolumeListResponse, VolumeResponse } from './network.ts'
export { encodeProgress, ProgressDecoder, progressError } from './progress.ts'
export {
  boolParameter,
  intParameter,
  parseTimestamp,
  platformParameter,
  sizeParameter,
  strictBoolParameter,
  timeParameter,
} from './query.ts'
export {
  type AuthConfig,
  decodeAuthConfig,
  decodeAuthConfigs,
  encodeAuthConfig,
  toAuthConfig,
} from './registry-auth.ts'
export { encodeFrame, FrameDecoder, frameHeader, type StreamPart, type StreamType } from './stdcopy.ts'
export type {
  BuildCacheRecord,
  CommitInfo,
  ComponentVersion,
  DiskUsageResponse,
  InfoResponse,
  RegistryConfigInfo,
  RuntimeInfo,
  VersionResponse,
} from './system.ts'
export {
  type ApiVersion,
  type Feature,
  has,
  newestVersion,
  oldestVersion,
  parseVersion,
  versionText,
} from './versions.ts'
export { type CacheFilters, decodeCacheFilters } from './cache-filters.ts'
