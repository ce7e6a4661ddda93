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
