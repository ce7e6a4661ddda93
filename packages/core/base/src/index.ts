export { type BodyDecoder, type BodyFraming, createBodyDecoder } from './body-decoder.ts'
export { type Borrowed, borrowed } from './borrowed.ts'
export {
  isSocketSource,
  isSocketStream,
  type SocketBytes,
  type SocketSource,
  type SocketStream,
  type SocketTarget,
} from './socket-bytes.ts'
export { formatTimeNs, longestTimerMs, nowNs, nowText, parseTimeNs, zeroTime } from './clock.ts'
export { splitCsv } from './csv.ts'
export { type DescriptorStore, noDescriptors } from './descriptor-store.ts'
export { Emitter } from './emitter.ts'
export {
  codeOf,
  conflict,
  EngineError,
  type ErrorKind,
  forbidden,
  httpStatus,
  internal,
  invalid,
  isDiskFull,
  isKind,
  messageOf,
  notFound,
  notImplemented,
  notModified,
  tooManyRequests,
  unauthorized,
  unavailable,
} from './errors.ts'
export { certificateProblem, tlsAlert } from './tls-errors.ts'
export { fault } from './fault.ts'
export { gathered } from './gathered.ts'
export { humanDuration } from './human-duration.ts'
export { parseGoBool } from './go-bool.ts'
export { ownValue } from './own-value.ts'
export { formatGoDuration, parseGoDurationNs } from './go-duration.ts'
export { escapeAsGo } from './go-json.ts'
export {
  avoidsLabels,
  booleanFilter,
  type Filters,
  matchesLabels,
  parseTimestampNs,
  requireKnownFilters,
  untilFilterNs,
} from './filters.ts'
export {
  type Brand,
  type ContainerId,
  type ExecId,
  type NetworkId,
  newContainerId,
  newExecId,
  newNetworkId,
  randomId,
  shortId,
} from './ids.ts'
export { KeyedLock } from './keyed-lock.ts'
export { type Logger, silentLogger } from './log.ts'
export { compilePattern, linearRegExp, type Pattern } from './pattern.ts'
export { releaseMemory } from './release-memory.ts'
export { settlesWithin } from './settles-within.ts'
export { type JoinOptions, SharedWork } from './shared-work.ts'
export { Undo } from './undo.ts'
