export type {
  Container,
  ContainerState,
  ContainerStatus,
  Exec,
  ExecConfig,
  Health,
  HealthResult,
  MountPoint,
} from './container.ts'
export type {
  AttachedStream,
  AttachQuery,
  CommitQuery,
  Containers,
  ListQuery,
  LogStream,
  SizeInfo,
  StatsDocument,
  StopOptions,
  TopResult,
  UpdateRequest,
  WaitCondition,
  WaitResult,
} from './containers.ts'
export { type ContainersOptions, type OpenContainers, openContainers } from './open-containers.ts'
export { planLog } from './plan/log-options.ts'
export type { DaemonDefaults } from './plan/types.ts'
export { checkUlimits } from './plan/validate-resources.ts'
