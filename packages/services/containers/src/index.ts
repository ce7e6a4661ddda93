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
  Filters,
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
export type { ContainerPlan, DaemonDefaults, PlanContext, UpdatePlan } from './plan/types.ts'
