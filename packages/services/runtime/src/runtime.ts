import type { ContainerId, ExecId } from '@berth/base'
import type { RuntimeProcess, RuntimeResources, RuntimeSpec } from '@berth/oci'
import type { Duplex } from 'node:stream'

export interface ConsoleSize {
  readonly rows: number
  readonly columns: number
}

/** What a process's standard streams are. */
export interface ProcessIo {
  readonly tty: boolean
  readonly openStdin: boolean
  /** The first attached client's end of input closes the process's input. */
  readonly stdinOnce: boolean
  readonly consoleSize?: ConsoleSize
}

/** Where a container's output is written; the supervisor owns the files. */
export type LogTarget =
  | {
      readonly driver: 'json-file' | 'local'
      readonly path: string
      /** Bytes before rotation; 0 never rotates. */
      readonly maxSizeBytes: number
      readonly maxFiles: number
      readonly compress: boolean
      /** Labels and environment to record with each line (json-file's `attrs`). */
      readonly attrs?: Readonly<Record<string, string>>
      /** So much may wait for the disk, and what comes beyond it is dropped; absent: the container waits. */
      readonly dropsBeyondBytes?: number
    }
  | { readonly driver: 'none' }

/** OCI runtimes beside those that are found. */
export interface RuntimesOptions {
  /** From the daemon's configuration; a path without slash is looked up. */
  readonly runtimes?: Readonly<Record<string, { readonly path: string; readonly args?: readonly string[] }>>
  readonly defaultRuntime?: string
}

export interface StartRequest {
  readonly containerId: ContainerId
  /** Written as config.json into a bundle directory that the runtime makes and removes. */
  readonly spec: RuntimeSpec
  /** Name from `--runtime`; undefined: the default. */
  readonly runtimeName?: string
  readonly io: ProcessIo
  readonly log: LogTarget
}

/** What is known of an exec before it is started. */
/** What decides how an exec gets into its container. */
export interface ExecTarget {
  readonly containerId: ContainerId
  /** Default: the one that the container was started with. */
  readonly runtimeName?: string
  /** No limit of memory, processes or CPU time is set: the OCI runtime may use the container's for itself. */
  readonly isUnlimited: boolean
}

export interface ExecPreparation extends ExecTarget {
  readonly execId: ExecId
  /** The container's, which its runtime does not give to execs (crun before 1.9). */
  readonly oomScoreAdj: number
  readonly io: ProcessIo
}

export interface ExecRequest extends ExecPreparation {
  readonly process: RuntimeProcess
}

export interface StartedProcess {
  readonly pid: number
  /** RFC 3339, nanoseconds. */
  readonly startedAt: string
}

/** A process that is being started, and its client's stream. Who takes it heeds `started`, too: it may reject. */
export interface AttachedProcess {
  readonly stream: Duplex
  readonly started: Promise<StartedProcess>
}

export interface ExitReport {
  readonly containerId: ContainerId
  /** Absent: the container's first process. */
  readonly execId?: ExecId
  /** 0-255; 128 + n when a signal ended it. */
  readonly exitCode: number
  readonly oomKilled: boolean
  readonly exitedAt: string
}

export interface AttachOptions {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
}

/** A container the supervisor knows, running or with an exit that nobody acknowledged. */
export interface SupervisedContainer {
  readonly containerId: ContainerId
  readonly pid: number
  readonly startedAt: string
  readonly exit?: ExitReport
  readonly execs: readonly { readonly execId: ExecId; readonly pid: number; readonly exit?: ExitReport }[]
}

/** The seam to the supervisor and the OCI runtime. */
export interface Runtime extends AsyncDisposable {
  /**
   * Runs the container's first process. Rejects with an `EngineError` in Docker's words when the OCI runtime refuses;
   * nothing is left behind then (no cgroup, no state directory, no log handle), and streams that were attached before end.
   * `startFailureExitCode(error.message)` is the exit code that Docker records for it.
   */
  start(request: StartRequest): Promise<StartedProcess>
  /** A start is likely to come: what of it takes time in the kernel begins at once. Changes nothing. */
  anticipateStart(): void
  /** As `anticipateStart`, for an exec. */
  anticipateExec(target: ExecTarget): void
  /** An exec is likely to come: what can be done without its process is done. Never fails; changes nothing that is seen. */
  prepareExec(request: ExecPreparation): void
  /**
   * Runs another process in a running container. A command that is missing or cannot be executed rejects, too, with
   * `OCI runtime exec failed: ...`: whoever answers the client writes that text into its stream, and the exit code by
   * `startFailureExitCode` is the exec's. No exit is announced then.
   */
  exec(request: ExecRequest): Promise<StartedProcess>
  /** `attach` and `exec` at once: resolves as `attach` does, with what `exec` would have returned. */
  execAttached(request: ExecRequest, options: AttachOptions): Promise<AttachedProcess>
  /**
   * A client's stream to a process: what is written goes to its stdin; what is read is its output: raw with a TTY, else in
   * frames of 8 bytes head (stream 1|2, big-endian length) and payload. May be opened before the process starts; ends when
   * the process's output has ended, after the `onExit` listeners were called.
   *
   * `end()` closes the process's stdin where that is due: of an exec, and of a container with `stdinOnce`, without a TTY.
   * `destroy()` only leaves: stdin stays open, as when berthd dies.
   *
   * A client that does not read holds up the process once 1 MiB waits for it, and is cut off (its stream ends) after 30 s
   * without any progress, after 3 s when other clients are attached.
   */
  attach(
    target: { readonly containerId: ContainerId; readonly execId?: ExecId },
    options: AttachOptions,
  ): Promise<Duplex>
  /** Sends a signal by number to the first process, or to an exec's. `notFound` when it has ended. */
  kill(target: { readonly containerId: ContainerId; readonly execId?: ExecId }, signal: number): Promise<void>
  resize(target: { readonly containerId: ContainerId; readonly execId?: ExecId }, size: ConsoleSize): Promise<void>
  pause(containerId: ContainerId): Promise<void>
  resume(containerId: ContainerId): Promise<void>
  update(containerId: ContainerId, resources: RuntimeResources): Promise<void>
  /** Pids in the container's own cgroup (without child cgroups), host view. */
  pids(containerId: ContainerId): Promise<number[]>
  /** Forgets an exited container: its report is acknowledged, its cgroups, state and bundle directories are removed. */
  release(containerId: ContainerId): Promise<void>
  /** Forgets an exec's exit report. */
  releaseExec(containerId: ContainerId, execId: ExecId): Promise<void>
  list(): Promise<SupervisedContainer[]>
  /** Exits as they come; unacknowledged ones are in `list()` after a restart. */
  onExit(listener: (report: ExitReport) => void): Disposable
  /** A process of the container was killed for memory; the container may live on. */
  onOom(listener: (containerId: ContainerId) => void): Disposable
  /** The supervisor died: every container of it is lost. A new one is started before the listeners are called. */
  onSupervisorLost(listener: () => void): Disposable
  /** Name to binary path of the OCI runtimes found, default first. */
  readonly runtimes: Readonly<Record<string, { readonly path: string; readonly args: readonly string[] }>>
  readonly defaultRuntime: string
  /** Takes other OCI runtimes for what is started from now on. Throws `invalid` for a default that is none of them. */
  reconfigure(options: RuntimesOptions): void
}
