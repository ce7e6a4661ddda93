export type { TlsOptions } from './connection.ts'
export type {
  AttachOptions,
  ContainerCreateBody,
  ContainerListOptions,
  ContainersClient,
  LogsOptions,
  PendingWait,
  StopOptions,
  UpdateBody,
  WaitCondition,
} from './containers-client.ts'
export { defaultHost, type Endpoint, formatEndpoint, parseHost } from './endpoint.ts'
export { EngineError } from '@berth/base'
export { EngineClient } from './engine-client.ts'
export { ApiError, ConnectionError, type ConnectionProblem, isStatus } from './errors.ts'
export type { ExecClient } from './exec-client.ts'
export type { Filters } from './filters.ts'
export { Demultiplexer, type Frame, type StreamName } from './frames.ts'
export type { BuildMessage, CommitOptions, ImageListOptions, ImagesClient, ImportOptions } from './images-client.ts'
export { readJsonLines } from './lines.ts'
export type { NetworkCreateBody, NetworkCreateResponse, NetworksClient, SubnetRequest } from './networks-client.ts'
export type { PluginPrivilege, PluginsClient, PluginSummary } from './plugins-client.ts'
export type { RegistryClient } from './registry-client.ts'
export type { CheckFinding, EventsOptions, ObjectKind, SystemClient } from './system-client.ts'
export {
  type EngineResponse,
  type HijackedConnection,
  newestApiVersion,
  type Query,
  type RequestOptions,
  Transport,
  type TransportOptions,
} from './transport.ts'
export type { VolumeCreateBody, VolumesClient } from './volumes-client.ts'
export { type LogLine, readLogLines } from './log-lines.ts'
export { openEngine, type OpenEngineOptions } from './open-engine.ts'
export { ReadinessError } from './run/readiness.ts'
export type { Readiness, RunOptions } from './run/run-options.ts'
export { type ContainerLogsOptions, type ExecResult, RunningContainer } from './run/running-container.ts'
