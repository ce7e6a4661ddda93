import type { ContainerId, ExecId } from '@berth/base'
import type { AttachOptions, ConsoleSize, LogTarget, ProcessIo } from '../runtime.ts'
import { ProtocolError } from './lines.ts'
import type {
  Announcement,
  ExecMessage,
  Failure,
  FailureKind,
  FromSupervisor,
  Hello,
  NumberedRequest,
  PrepareMessage,
  ProcessTarget,
  Request,
  RequestOp,
  RuntimeCommand,
  StartMessage,
  Welcome,
} from './messages.ts'

/** Decoders refuse what is malformed with a `ProtocolError` that names the field; unknown fields are ignored. */
export function decodeHello(value: unknown): Hello {
  const hello = record(value, 'hello')
  const protocol = integer(hello, 'protocol')
  const role = text(hello, 'role')
  if (role === 'control') return { role, protocol }
  if (role !== 'attach') throw new ProtocolError(`role: ${JSON.stringify(role)} is unknown`)
  const options = attachOptions(record(hello['options'], 'options'))
  const request = hello['request'] === undefined ? {} : { request: decodeRequest(hello['request']) }
  return { role, protocol, target: target(hello), options, ...request }
}

export function decodeWelcome(value: unknown): Welcome {
  const welcome = record(value, 'welcome')
  const servesWithAttach = welcome['servesWithAttach'] === true
  const takesNotices = welcome['takesNotices'] === true
  return {
    protocol: integer(welcome, 'protocol'),
    pid: integer(welcome, 'pid'),
    build: text(welcome, 'build'),
    ...(servesWithAttach && { servesWithAttach }),
    ...(takesNotices && { takesNotices }),
  }
}

export function decodeRequest(value: unknown): NumberedRequest {
  const message = record(value, 'request')
  const op = text(message, 'op')
  if (!Object.hasOwn(requests, op)) throw new ProtocolError(`op: ${JSON.stringify(op)} is unknown`)
  const id = message['id'] === undefined ? {} : { id: integer(message, 'id') }
  return { ...id, request: requests[op as RequestOp](message) }
}

const requests: { readonly [Op in RequestOp]: (message: Fields) => Extract<Request, { op: Op }> } = {
  start: (message) => ({ op: 'start', ...startMessage(message) }),
  prepare: (message) => ({ op: 'prepare', ...prepareMessage(message) }),
  exec: (message) => ({ op: 'exec', ...execMessage(message) }),
  kill: (message) => ({ op: 'kill', target: target(message), signal: integer(message, 'signal') }),
  resize: (message) => ({ op: 'resize', target: target(message), size: consoleSize(record(message['size'], 'size')) }),
  release: (message) => ({ op: 'release', target: target(message) }),
  list: () => ({ op: 'list' }),
  replace: (message) => ({ op: 'replace', program: path(message, 'program'), args: texts(message, 'args') }),
  shutdown: () => ({ op: 'shutdown' }),
}

/** A line from the supervisor. What an announcement reports is taken on trust: the supervisor is ours. */
export function decodeFromSupervisor(value: unknown): FromSupervisor {
  const message = record(value, 'message')
  if ('announce' in message) return announcement(message)
  const id = integer(message, 'id')
  if ('failure' in message) return { id, failure: failure(record(message['failure'], 'failure')) }
  return { id, value: message['value'] }
}

function announcement(message: Fields): Announcement {
  const announce = text(message, 'announce')
  if (announce === 'oom') return { announce, containerId: containerId(message) }
  if (announce !== 'exit') throw new ProtocolError(`announce: ${JSON.stringify(announce)} is unknown`)
  const report = record(message['report'], 'report')
  const exit = {
    exitCode: integer(report, 'exitCode'),
    oomKilled: flag(report, 'oomKilled'),
    exitedAt: text(report, 'exitedAt'),
  }
  return { announce, report: { ...target(report, 'report'), ...exit } }
}

const failureKinds: readonly string[] = [
  'runtime',
  'notFound',
  'conflict',
  'invalid',
  'internal',
] satisfies FailureKind[]

function failure(fields: Fields): Failure {
  const kind = text(fields, 'kind')
  return { kind: failureKinds.includes(kind) ? (kind as FailureKind) : 'internal', message: text(fields, 'message') }
}

function startMessage(message: Fields): StartMessage {
  return {
    containerId: containerId(message),
    command: command(record(message['command'], 'command')),
    bundle: path(message, 'bundle'),
    ociRoot: path(message, 'ociRoot'),
    cgroupsPath: message['cgroupsPath'] === undefined ? undefined : path(message, 'cgroupsPath'),
    watchOom: flag(message, 'watchOom'),
    sharesPids: flag(message, 'sharesPids'),
    io: processIo(record(message['io'], 'io')),
    log: logTarget(record(message['log'], 'log')),
  }
}

const execMessage = (message: Fields): ExecMessage => ({
  ...prepareMessage(message),
  process: message['process'] === undefined ? undefined : text(message, 'process'),
})

function prepareMessage(message: Fields): PrepareMessage {
  const execId = message['execId']
  if (!isId(execId)) throw new ProtocolError('execId: not 64 hex digits')
  return {
    containerId: containerId(message),
    execId: execId as ExecId,
    command: command(record(message['command'], 'command')),
    ociRoot: path(message, 'ociRoot'),
    bundle: path(message, 'bundle'),
    ...(message['oomScoreAdj'] === undefined ? {} : { oomScoreAdj: integer(message, 'oomScoreAdj') }),
    ...(message['cgroupsPath'] === undefined ? {} : { cgroupsPath: path(message, 'cgroupsPath') }),
    io: processIo(record(message['io'], 'io')),
  }
}

const command = (fields: Fields): RuntimeCommand => ({ path: path(fields, 'path'), args: texts(fields, 'args') })

function processIo(io: Fields): ProcessIo {
  const size = io['consoleSize']
  return {
    tty: flag(io, 'tty'),
    openStdin: flag(io, 'openStdin'),
    stdinOnce: flag(io, 'stdinOnce'),
    consoleSize: size === undefined ? undefined : consoleSize(record(size, 'consoleSize')),
  }
}

function consoleSize(size: Fields): ConsoleSize {
  return { rows: character(size, 'rows'), columns: character(size, 'columns') }
}

/** struct winsize holds 16 bits. */
function character(size: Fields, name: string): number {
  const value = integer(size, name)
  if (value > 0xffff) throw new ProtocolError(`${name}: ${value} is out of range`)
  return value
}

function logTarget(log: Fields): LogTarget {
  const driver = text(log, 'driver')
  if (driver === 'none') return { driver }
  if (driver !== 'json-file' && driver !== 'local') {
    throw new ProtocolError(`driver: ${JSON.stringify(driver)} is unknown`)
  }
  const attrs = log['attrs']
  return {
    driver,
    path: path(log, 'path'),
    maxSizeBytes: integer(log, 'maxSizeBytes'),
    maxFiles: integer(log, 'maxFiles'),
    compress: flag(log, 'compress'),
    attrs: attrs === undefined ? undefined : textsByName(record(attrs, 'attrs')),
    ...(log['dropsBeyondBytes'] === undefined ? {} : { dropsBeyondBytes: integer(log, 'dropsBeyondBytes') }),
  }
}

const attachOptions = (options: Fields): AttachOptions => ({
  stdin: flag(options, 'stdin'),
  stdout: flag(options, 'stdout'),
  stderr: flag(options, 'stderr'),
})

function target(message: Fields, field = 'target'): ProcessTarget {
  const fields = field === 'report' ? message : record(message[field], field)
  const execId = fields['execId']
  if (execId === undefined) return { containerId: containerId(fields) }
  if (!isId(execId)) throw new ProtocolError('execId: not 64 hex digits')
  return { containerId: containerId(fields), execId: execId as ExecId }
}

function containerId(fields: Fields): ContainerId {
  const id = fields['containerId']
  if (!isId(id)) throw new ProtocolError('containerId: not 64 hex digits')
  return id as ContainerId
}

type Fields = Readonly<Record<string, unknown>>

const isId = (value: unknown): boolean => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)

function record(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ProtocolError(`${name}: no object`)
  return value as Fields
}

function text(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string') throw new ProtocolError(`${name}: no string`)
  return value
}

function path(fields: Fields, name: string): string {
  const value = text(fields, name)
  if (!value.startsWith('/') || value.includes('\0')) throw new ProtocolError(`${name}: no absolute path`)
  return value
}

function flag(fields: Fields, name: string): boolean {
  const value = fields[name]
  if (typeof value !== 'boolean') throw new ProtocolError(`${name}: no boolean`)
  return value
}

function integer(fields: Fields, name: string): number {
  const value = fields[name]
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new ProtocolError(`${name}: no natural number`)
  return value as number
}

function texts(fields: Fields, name: string): string[] {
  const value = fields[name]
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) {
    throw new ProtocolError(`${name}: no list of strings`)
  }
  return value
}

function textsByName(fields: Fields): Record<string, string> {
  for (const name of Object.keys(fields)) text(fields, name)
  return fields as Record<string, string>
}
