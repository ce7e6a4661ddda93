export type {
  Definition,
  DefinitionSchema,
  TimestampSchema,
  Timestamp,
  VersionSchema,
  Worker,
  WorkerSchema,
} from '../generated/common_pb.ts'
export { OpSchema, RpcStatusSchema } from '../generated/common_pb.ts'
export { WriteAction } from '../generated/content_pb.ts'
export type {
  BuildHistoryEvent,
  BuildHistoryEventSchema,
  BuildHistoryRecord,
  BuildHistoryRequest,
  CacheOptionsEntry,
  DiskUsageRequest,
  PruneRequest,
  SolveRequest,
  SolveRequestSchema,
  SolveResponse,
  SolveResponseSchema,
  StatusResponse,
  UpdateBuildHistoryRequest,
  UsageRecord,
  UsageRecordSchema,
  Vertex,
  VertexLog,
  VertexStatus,
  VertexWarning,
} from '../generated/control_pb.ts'
export { BuildHistoryEventType, Control } from '../generated/control_pb.ts'
export { type Packet, Packet_PacketType, PacketSchema, type Stat, StatSchema } from '../generated/fsutil_pb.ts'
export {
  LLBBridge,
  type ReadFileRequest,
  type Result,
  type ReturnRequest,
  type SolveRequest as GatewaySolveRequest,
  type SolveRequestSchema as GatewaySolveRequestSchema,
  type SolveResponse as GatewaySolveResponse,
  type SolveResponseSchema as GatewaySolveResponseSchema,
} from '../generated/gateway_pb.ts'
export { describeFile, type FilePlace } from './fsutil/describe-file.ts'
export { fromGoMode, toGoMode } from './fsutil/go-mode.ts'
export { type EntrySink, PacketReceiver } from './fsutil/packet-receiver.ts'
export { type PacketChannel, sendEntries, type SentEntry } from './fsutil/send-entries.ts'
export { type CallOptions, type ClientCall, GrpcClient, type RemoteMethod } from './grpc/client.ts'
export { type ErrorDetail, grpcCode, GrpcError } from './grpc/error.ts'
export { type Call, GrpcRouter, type Implementation, type Route, routeOf, type ServerChannel } from './grpc/router.ts'
export { serveConnection } from './grpc/server.ts'
export { methodsOf } from './grpc/methods-of.ts'
export { sessionMethods } from './session-methods.ts'
export { BuildHistoryRecordSchema, StatusResponseSchema } from '../generated/control_pb.ts'
