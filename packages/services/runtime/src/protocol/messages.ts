import type { ContainerId, ExecId } from '@berth/base'
import type { AttachOptions, ConsoleSize, ExitReport, LogTarget, ProcessIo, SupervisedContainer } from '../runtime.ts'

/**
 * What berthd and the supervisor say to each other over `<run root>/supervisor.sock`. Messages are lines of JSON.
 *
 * The first line of a connection is a `Hello` that says what it is for. A control connection goes on with requests one
 * way, replies and announcements the other; a new one replaces the old. An attach connection carries one reply, then raw
 * output to the client and input frames (`stdin-frames.ts`) from it.
 *
 * A supervisor may be older than the berthd that talks to it, since it stays up while containers run. Fields may be added;
 * whatever would be misunderstood needs a new `protocolVersion`.
 */
export const protocolVersion = 2

/** No line may be longer: it is refused, and its connection closed. */
export const maxLineBytes = 1024 * 1024

export type ProcessTarget = { readonly containerId: ContainerId; readonly execId?: ExecId }

/** One text per process, for maps. */
export const processKey = ({ containerId, execId }: ProcessTarget): string => `${containerId}/${execId ?? ''}`

export type Hello =
  | { readonly role: 'control'; readonly protocol: number }
  | {
      readonly role: 'attach'
      readonly protocol: number
      readonly target: ProcessTarget
      readonly options: AttachOptions
      /** Served once the client is attached; its reply goes to the control connection. */
      readonly request?: NumberedRequest
    }

/** The supervisor's answer to a control hello. */
export interface Welcome {
  readonly protocol: number
  readonly pid: number
  /** Which program it runs (see `supervisorBuild`): another one may want to `replace` it. */
  readonly build: string
  /** Whether the hello of an attach connection may hold a request; absent from older ones. */
  readonly servesWithAttach?: boolean
  /** Whether a request may have no id, and gets no reply then; absent from older ones. */
  readonly takesNotices?: boolean
}

/** An OCI runtime's command: crun, runc or what takes their arguments. */
export interface RuntimeCommand {
  readonly path: string
  readonly args: readonly string[]
}

export interface StartMessage {
  readonly containerId: ContainerId
  readonly command: RuntimeCommand
  /** Holds config.json; the supervisor puts its pid file, console socket and the runtime's log there. */
  readonly bundle: string
  readonly ociRoot: string
  readonly cgroupsPath?: string
  /** Announce kills for memory as they happen. */
  readonly watchOom: boolean
  /** The first process is not the init of a pid namespace: what it leaves behind is killed at its exit. */
  readonly sharesPids: boolean
  readonly io: ProcessIo
  readonly log: LogTarget
}

export interface PrepareMessage {
  readonly containerId: ContainerId
  readonly execId: ExecId
  readonly command: RuntimeCommand
  readonly ociRoot: string
  readonly bundle: string
  /** Absent: this process's own. */
  readonly oomScoreAdj?: number
  /** Of the container, without limits: the runtime (crun) may enter there by itself. Absent: it moves its process. */
  readonly cgroupsPath?: string
  readonly io: ProcessIo
}

/** What fits into a pipe at once (pipe(7)), so that writing never waits for the reader. */
export const maxProcessBytes = 64 * 1024

export interface ExecMessage extends PrepareMessage {
  /** The process, in JSON of `maxProcessBytes` at most; absent: it is in `exec-<id>.json` of the bundle. */
  readonly process?: string
}

export type Request =
  | ({ readonly op: 'start' } & StartMessage)
  /** An `exec` of the same id is likely to come soon: the runtime may be started and wait for it. */
  | ({ readonly op: 'prepare' } & PrepareMessage)
  | ({ readonly op: 'exec' } & ExecMessage)
  | { readonly op: 'kill'; readonly target: ProcessTarget; readonly signal: number }
  | { readonly op: 'resize'; readonly target: ProcessTarget; readonly size: ConsoleSize }
  | { readonly op: 'release'; readonly target: ProcessTarget }
  | { readonly op: 'list' }
  /** Become another program in the same process; refused while a container or an exit report is there. */
  | { readonly op: 'replace'; readonly program: string; readonly args: readonly string[] }
  /** End, unless a container runs. */
  | { readonly op: 'shutdown' }

/** `id`: what its reply will carry; absent: nobody waits for one. */
export interface NumberedRequest {
  readonly id?: number
  readonly request: Request
}

export type RequestOp = Request['op']

/** `runtime` is the OCI runtime's own text, for berthd to put into Docker's words. */
export type FailureKind = 'runtime' | 'notFound' | 'conflict' | 'invalid' | 'internal'

export interface Failure {
  readonly kind: FailureKind
  readonly message: string
}

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: Failure }

export type Announcement =
  | { readonly announce: 'exit'; readonly report: ExitReport }
  | { readonly announce: 'oom'; readonly containerId: ContainerId }

export type FromSupervisor = Reply | Announcement

/** What the ops answer, where they answer something. */
export interface Answers {
  start: { readonly pid: number; readonly startedAt: string }
  exec: { readonly pid: number; readonly startedAt: string }
  list: SupervisedContainer[]
}
