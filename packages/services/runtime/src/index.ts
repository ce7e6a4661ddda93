export type { CgroupFacts, HostFacts } from './host/host-facts.ts'
export type { LogFollow, LogQuery, ReadLogs } from './log-query.ts'
export type {
  AttachOptions,
  ConsoleSize,
  ExecRequest,
  ExitReport,
  LogTarget,
  ProcessIo,
  Runtime,
  StartedProcess,
  StartRequest,
  SupervisedContainer,
} from './runtime.ts'
export type {
  DeviceRule,
  HostFiles,
  NamespaceSource,
  Propagation,
  ResolvedUser,
  SpecDevice,
  SpecInput,
  SpecMount,
} from './spec/input.ts'
