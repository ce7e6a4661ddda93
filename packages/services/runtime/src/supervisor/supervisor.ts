import { type ContainerId, messageOf, nowText } from '@berth/base'
import {
  type Cgroups,
  detectCgroups,
  type ExitStatus,
  killPid,
  oomKillCount,
  type Reaper,
  reapUnclaimed,
  watchOom,
} from '@berth/linux'
import type { RuntimeProcess } from '@berth/oci'
import { runArguments } from '../crun/arguments.ts'
import { execFailedCode, explainExecFailure } from '../crun/exec-failure.ts'
import { killCgroup } from '../crun/kill-cgroup.ts'
import { openLogWriter } from '../logs/log-writer.ts'
import type {
  Announcement,
  Answers,
  ExecMessage,
  Failure,
  FailureKind,
  PrepareMessage,
  ProcessTarget,
  Request,
  StartMessage,
} from '../protocol/messages.ts'
import type { ExitReport } from '../runtime.ts'
import type { Client } from '../stdio/client.ts'
import type { OutletLimits } from '../stdio/outlet.ts'
import { Relay, type RelayOptions } from '../stdio/relay.ts'
import { ExecLauncher } from './exec-launcher.ts'
import { type Launched, launch, RuntimeRefusal } from './launch.ts'
import { warn } from './log.ts'
import { RuntimeLaunches } from './runtime-launches.ts'
import { isBusy, type Supervised, type SupervisedContainers, type SupervisedProcess, summary } from './supervised.ts'
import { WaitingRoom } from './waiting-room.ts'

/** Why a request could not be done, in the protocol's kinds. */
export class RequestError extends Error {
  readonly kind: FailureKind

  constructor(kind: FailureKind, message: string) {
    super(message)
    this.kind = kind
  }
}

export interface SupervisorOptions {
  /** Absolute. Console sockets are made in it: at most 85 bytes. */
  readonly runRoot: string
  readonly reaper: Reaper
  readonly announce: (announcement: Announcement) => void
  readonly limits?: OutletLimits
}

/** How long the output of an ended process may stay incomplete, since others can hold its pipes; and its log, on a disk that stalls. */
const drainLimits = { timeoutMs: 2000, logTimeoutMs: 10_000 }

/** Owns the processes of all containers: starts them, carries their streams, knows how they ended. */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #containers: SupervisedContainers = new Map()
  readonly #waiting = new WaitingRoom()
  readonly #starting = new Set<Promise<unknown>>()
  readonly #launches: RuntimeLaunches
  readonly #execs: ExecLauncher
  #cgroups: Cgroups | undefined

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#launches = new RuntimeLaunches(options.runRoot)
    this.#execs = new ExecLauncher(options.reaper, this.#launches, () => this.#trees())
    process.on('SIGCHLD', () => this.#reapStrays())
  }

  /** Does what the request asks; `replace` and `shutdown` only say whether they may be done. */
  async handle(request: Request): Promise<unknown> {
    switch (request.op) {
      case 'start':
        return await this.#track(this.#start(request))
      case 'prepare':
        return this.#prepare(request)
      case 'exec':
        return await this.#track(this.#exec(request))
      case 'kill':
        return this.#kill(request.target, request.signal)
      case 'resize':
        return this.#running(request.target).relay.resize(request.size)
      case 'release':
        return this.#release(request.target)
      case 'list':
        return await this.#list()
      case 'replace':
        return this.#checkIdle((container) => container !== undefined)
      case 'shutdown':
        return this.#checkIdle(isBusy)
    }
  }

  /** Connects a client to a process, now or when it is started. */
  attach(target: ProcessTarget, client: Client): void {
    const found = this.#find(target)
    if (found) found.relay.add(client)
    else this.#waiting.add(target, client)
  }

  async #start(message: StartMessage): Promise<Answers['start']> {
    const { containerId, io, cgroupsPath, sharesPids, bundle } = message
    this.#requireUnknown(containerId)
    const log = await openLogWriter(message.log, warn)
    try {
      this.#requireUnknown(containerId)
    } catch (error) {
      await log?.close()
      throw error
    }
    const explain = (output: Buffer) => explainExecFailure(output, () => undefined)
    const init = this.#enrol({ containerId }, { tty: io.tty, closesStdin: io.stdinOnce, log, explain })
    const container: Supervised = { init, execs: new Map(), cgroupsPath, sharesPids }
    this.#containers.set(containerId, container)
    const files = this.#launches.files(bundle, 'init', io)
    const args = runArguments(message.ociRoot, { containerId, bundle }, files)
    const options = this.#launches.options(message.command, args, files, io)
    try {
      init.launched = await launch(this.#options.reaper, options, init.relay, io)
    } catch (error) {
      this.#containers.delete(containerId)
      throw error
    }
    if (message.watchOom) this.#watchOom(container)
    this.#followExit(container, init, init.launched)
    return init.launched
  }

  #requireUnknown(containerId: ContainerId): void {
    if (this.#containers.has(containerId)) throw new RequestError('conflict', `container ${containerId} is supervised`)
  }

  #prepare(message: PrepareMessage): void {
    const container = this.#containers.get(message.containerId)
    if (!container?.init.launched || container.init.reaped || container.execs.has(message.execId)) return
    this.#execs.prepare(message)
  }

  async #exec(message: ExecMessage): Promise<Answers['exec']> {
    const { containerId, execId, io } = message
    const container = this.#containers.get(containerId)
    if (!container || container.init.reaped)
      throw new RequestError('conflict', `container ${containerId} is not running`)
    if (container.execs.has(execId)) throw new RequestError('conflict', `exec ${execId} has been started`)
    const explain = (output: Buffer) => explainExecFailure(output, () => programOf(message))
    const exec = this.#enrol({ containerId, execId }, { tty: io.tty, closesStdin: true, explain })
    container.execs.set(execId, exec)
    try {
      exec.launched = await this.#execs.launch(message, exec.relay)
    } catch (error) {
      container.execs.delete(execId)
      throw error
    }
    this.#followExit(container, exec, exec.launched)
    return exec.launched
  }

  /** A new process, with the clients that have been waiting for it. */
  #enrol(target: ProcessTarget, options: RelayOptions): SupervisedProcess {
    const relay = new Relay({ ...options, limits: this.#options.limits })
    for (const client of this.#waiting.take(target)) relay.add(client)
    return { target, relay, reaped: false }
  }

  /** Detached: owns the process from here to the announcement of its exit. */
  #followExit(container: Supervised, process: SupervisedProcess, { pid }: Launched): void {
    this.#options.reaper
      .exit(pid)
      .then((status) => this.#ended(container, process, status))
      .catch((error: unknown) => warn({ ...process.target, error: messageOf(error) }, 'an exit is not announced'))
  }

  async #ended(container: Supervised, process: SupervisedProcess, status: ExitStatus): Promise<void> {
    process.reaped = true
    const exitedAt = nowText()
    const isInit = process === container.init
    if (isInit) this.#execs.dropOf(process.target.containerId)
    const oomKilled = isInit && this.#oomKills(container) > 0
    if (isInit) await this.#killLeftovers(container)
    await process.relay.drain(drainLimits)
    if (isInit) container.oomWatch?.[Symbol.dispose]()
    const exitCode = process.relay.isExplained ? execFailedCode : status.code
    const report: ExitReport = { ...process.target, exitCode, oomKilled, exitedAt }
    process.exit = report
    this.#options.announce({ announce: 'exit', report })
    process.relay.finish()
  }

  /** Without a pid namespace of its own, what the first process started lives on after it. */
  async #killLeftovers({ sharesPids, cgroupsPath }: Supervised): Promise<void> {
    if (sharesPids && cgroupsPath !== undefined) await killCgroup(this.#trees(), cgroupsPath)
  }

  #kill(target: ProcessTarget, signal: number): void {
    const { launched } = this.#running(target)
    // Not reaped, so the pid is still this process's.
    if (!launched || !killPid(launched.pid, signal)) throw new RequestError('notFound', 'the process has ended')
  }

  #release({ containerId, execId }: ProcessTarget): void {
    const container = this.#containers.get(containerId)
    if (!container) return
    const process = execId === undefined ? container.init : container.execs.get(execId)
    if (!process) return
    if (!process.exit) throw new RequestError('conflict', 'the process is running')
    if (execId === undefined) this.#containers.delete(containerId)
    else container.execs.delete(execId)
  }

  /** What is being started counts: whoever asks may have asked for the start before, by another connection. */
  async #list(): Promise<Answers['list']> {
    await Promise.allSettled(this.#starting)
    return [...this.#containers.values()].flatMap(summary)
  }

  #checkIdle(isBusyWith: (container: Supervised) => boolean): void {
    const busy = [...this.#containers.values()].filter(isBusyWith).length
    if (busy > 0) throw new RequestError('conflict', `${busy} containers are supervised`)
  }

  async #track<T>(start: Promise<T>): Promise<T> {
    this.#starting.add(start)
    try {
      return await start
    } finally {
      this.#starting.delete(start)
      this.#reapStrays()
    }
  }

  /** Of a failed exec remains a zombie, without which its container could not end; what is being started has no pid yet. */
  #reapStrays(): void {
    if (this.#starting.size === 0) reapUnclaimed((pid) => this.#options.reaper.has(pid))
  }

  #find({ containerId, execId }: ProcessTarget): SupervisedProcess | undefined {
    const container = this.#containers.get(containerId)
    return execId === undefined ? container?.init : container?.execs.get(execId)
  }

  #running(target: ProcessTarget): SupervisedProcess {
    const process = this.#find(target)
    if (!process?.launched || process.reaped) throw new RequestError('notFound', 'the process is not running')
    return process
  }

  #watchOom(container: Supervised): void {
    const { containerId } = container.init.target
    if (container.cgroupsPath === undefined) return
    try {
      const announce = () => this.#options.announce({ announce: 'oom', containerId })
      container.oomWatch = watchOom(this.#trees(), container.cgroupsPath, announce)
    } catch (error) {
      // Kills are still counted at the exit.
      warn({ containerId, error: messageOf(error) }, 'kills for memory are not announced')
    }
  }

  #oomKills({ cgroupsPath }: Supervised): number {
    return cgroupsPath === undefined ? 0 : oomKillCount(this.#trees(), cgroupsPath)
  }

  #trees(): Cgroups {
    return (this.#cgroups ??= detectCgroups())
  }
}

/** Undefined when it is in a file. */
function programOf({ process }: ExecMessage): string | undefined {
  return process === undefined ? undefined : (JSON.parse(process) as RuntimeProcess).args[0]
}

/** An error as the protocol tells it. */
export function failureOf(error: unknown): Failure {
  if (error instanceof RequestError) return { kind: error.kind, message: error.message }
  if (error instanceof RuntimeRefusal) {
    const cause = error.cause === undefined ? '' : `: ${messageOf(error.cause)}`
    return { kind: 'runtime', message: `${error.message}${cause}` }
  }
  return { kind: 'internal', message: messageOf(error) }
}
