export { ensureDefaultAppArmorProfile } from './host/apparmor.ts'
export { type DeviceNumber, readDeviceNumbers, readDevices, readHostDevices } from './host/devices.ts'
export type { CgroupFacts, HostFacts } from './host/host-facts.ts'
export { readHostFacts } from './host/read-host-facts.ts'
export { readUserFiles } from './host/user-files.ts'
export type { LogFollow, LogQuery, ReadLogs } from './log-query.ts'
export type {
  AttachOptions,
  ConsoleSize,
  ExecPreparation,
  ExecRequest,
  ExecTarget,
  ExitReport,
  LogTarget,
  ProcessIo,
  Runtime,
  StartedProcess,
  StartRequest,
  SupervisedContainer,
} from './runtime.ts'
export { buildSpec, processCapabilities, processLimits } from './spec/build-spec.ts'
export { allCapabilities, normalizeCapability, resolveCapabilities } from './spec/capabilities.ts'
export { composeEnv, replaceEnv } from './spec/env.ts'
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
export { defaultMaskedPaths, defaultReadonlyPaths } from './spec/paths.ts'
export { testFacts } from './spec/fixtures.ts'
export { mergeTmpfsOptions } from './spec/tmpfs-options.ts'
export { resolveUser, type UserFiles } from './spec/users.ts'
export { readStats, type StatsSample } from './stats/read-stats.ts'
export { statsDocument, type StatsSubject } from './stats/stats-document.ts'
export { readTop } from './stats/top.ts'
export type { ProcessTable } from './stats/process-table.ts'
export {
  openDescriptorStore,
  type OpenDescriptorStoreOptions,
  type SupervisorDescriptors,
} from './client/open-descriptor-store.ts'
export { findExecutable } from './client/runtimes.ts'
export { openRuntime, type OpenRuntimeOptions } from './client/open-runtime.ts'
export type { SupervisorProgram } from './client/launch-supervisor.ts'
export { supervisorElsewhere } from './client/supervisor-elsewhere.ts'
export { startFailureExitCode } from './crun/failure.ts'
export { readLogs } from './logs/read-logs.ts'
