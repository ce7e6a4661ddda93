import type { ContainerId, ExecId, Filters } from '@berth/base'
import type { ContainerCreateRequest, EndpointSettings, Resources, RestartPolicy } from '@berth/engine-api'
import type { ImageRunConfig, Digest } from '@berth/oci'
import type { ConsoleSize, LogQuery } from '@berth/runtime'
import type { Change, PathStatus } from '@berth/storage'
import type { Duplex, Readable } from 'node:stream'
import type { WriteArchiveOptions } from './archive.ts'
import type { Container, Exec, ExecConfig } from './container.ts'
import type { Membership } from './membership.ts'

export interface ListQuery {
  readonly all: boolean
  /** The newest n, running or not. */
  readonly limit?: number
  readonly size: boolean
  readonly filters: Filters
}

export interface SizeInfo {
  readonly sizeRwBytes: number
  readonly sizeRootFsBytes: number
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed'
export interface WaitResult {
  readonly exitCode: number
  readonly error?: string
}

export interface AttachQuery {
  readonly stream: boolean
  /** Replays what was logged first. */
  readonly logs: boolean
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  /** '' means the default. */
  readonly detachKeys: string
}

/** A client's stream: written = input, read = output (raw with a TTY, else framed). Ends at exit or detach. */
export interface AttachedStream {
  readonly stream: Duplex
  readonly tty: boolean
}

export interface LogStream {
  readonly tty: boolean
  readonly chunks: AsyncIterable<Buffer>
}

export type UpdateRequest = Partial<Resources> & { readonly RestartPolicy?: RestartPolicy }

export interface CommitQuery {
  readonly reference?: string
  readonly author?: string
  readonly message?: string
  readonly pause: boolean
  readonly changes: readonly string[]
  readonly config?: ImageRunConfig
}

export interface TopResult {
  readonly Titles: string[]
  readonly Processes: string[][]
}

/** Docker's stats document. */
export type StatsDocument = Readonly<Record<string, unknown>>

export interface StopOptions {
  /** Seconds; -1 waits for ever; undefined: the container's own, else 10. */
  readonly timeoutSeconds?: number
  readonly signal?: string
}

/**
 * The container aggregate. `ref` is an id, a name (slash or not) or an unambiguous id prefix; unknown is
 * `No such container: ref` (404). Messages are Docker's.
 */
export interface Containers {
  create(request: ContainerCreateRequest): Promise<{ readonly id: ContainerId; readonly warnings: readonly string[] }>
  /** `notModified` when it runs already. */
  start(ref: string): Promise<void>
  /** `notModified` when it does not run. */
  stop(ref: string, options: StopOptions): Promise<void>
  restart(ref: string, options: StopOptions): Promise<void>
  /** `signal`: name with or without SIG, or number; '' is SIGKILL. Waits for the exit when it kills. */
  kill(ref: string, signal: string): Promise<void>
  pause(ref: string): Promise<void>
  unpause(ref: string): Promise<void>
  rename(ref: string, name: string): Promise<void>
  update(ref: string, request: UpdateRequest): Promise<{ readonly warnings: readonly string[] }>
  /** Looks up and validates first, so that headers can go out; the result comes later. */
  wait(ref: string, condition: WaitCondition, signal: AbortSignal): { readonly result: Promise<WaitResult> }
  /** Takes a container into a network; `settings` null asks for nothing. */
  connectNetwork(membership: Membership & { readonly settings: EndpointSettings | null }): Promise<void>
  disconnectNetwork(membership: Membership & { readonly force: boolean }): Promise<void>
  remove(
    ref: string,
    options: { readonly force: boolean; readonly volumes: boolean; readonly link: boolean },
  ): Promise<void>
  prune(filters: Filters): Promise<{ readonly deleted: readonly ContainerId[]; readonly reclaimedBytes: number }>

  get(ref: string): Container
  list(query: ListQuery): Promise<readonly Container[]>
  size(id: ContainerId): Promise<SizeInfo>
  /** Where the json-file log is; '' for other drivers. */
  logPath(id: ContainerId): string
  /** Host files bound over /etc: `resolvConfPath`, `hostnamePath`, `hostsPath`; '' before the first start. */
  files(id: ContainerId): { readonly resolvConfPath: string; readonly hostnamePath: string; readonly hostsPath: string }
  /** `NetworkSettings` facts of a running container. */
  network(id: ContainerId): {
    readonly sandboxId: string
    readonly sandboxKey: string
    readonly ports: Readonly<Record<string, { HostIp: string; HostPort: string }[] | null>>
  }
  /** `GraphDriver` of inspect. */
  graphDriver(id: ContainerId): { readonly Name: string; readonly Data: Readonly<Record<string, string>> | null }

  logs(ref: string, query: Omit<LogQuery, 'raw'>, follow: AbortSignal | undefined): LogStream
  attach(ref: string, query: AttachQuery): Promise<AttachedStream>
  resize(ref: string, size: ConsoleSize): Promise<void>
  top(ref: string, psArgs: string): Promise<TopResult>
  /** One document, or one a second until `signal`. `oneShot`: no wait for a second reading. */
  stats(
    ref: string,
    options: { readonly stream: boolean; readonly oneShot: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<StatsDocument>
  changes(ref: string): Promise<readonly Change[]>
  exportTree(ref: string): Readable
  commit(ref: string, query: CommitQuery): Promise<Digest>

  /** Status of a path in the container's files, running or not; `Could not find the file ...` (404) when absent. */
  statPath(ref: string, path: string): Promise<PathStatus>
  /** The same, and a tar of what is there. It must be read or destroyed. */
  readArchive(ref: string, path: string): Promise<{ readonly status: PathStatus; readonly archive: Readable }>
  /** Unpacks a tar, compressed or not, in an existing directory; what the source has left is the caller's. */
  writeArchive(
    ref: string,
    target: { readonly path: string; readonly source: AsyncIterable<Uint8Array> },
    options: WriteArchiveOptions,
  ): Promise<void>

  /** A client has looked at the container, as docker's does before an exec: what of one takes time begins at once. */
  anticipateExec(id: ContainerId): void
  createExec(ref: string, config: ExecConfig): Promise<ExecId>
  /** Starts it; with a stream unless `detach`. `tty` as the start request says (framing follows it). */
  startExec(
    id: string,
    options: { readonly detach: boolean; readonly tty: boolean; readonly consoleSize?: ConsoleSize },
  ): Promise<AttachedStream | undefined>
  resizeExec(id: string, size: ConsoleSize): Promise<void>
  getExec(id: string): Exec
}
