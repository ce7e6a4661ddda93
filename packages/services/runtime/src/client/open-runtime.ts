import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type ContainerId,
  Emitter,
  type ExecId,
  isKind,
  type Logger,
  messageOf,
  notFound,
  unavailable,
} from '@berth/base'
import {
  anticipateCgroupMove,
  cgroupProcesses,
  type Cgroups,
  controllerPath,
  detectCgroups,
  freezeCgroup,
  thawCgroup,
} from '@berth/linux'
import type { RuntimeResources, RuntimeSpec } from '@berth/oci'
import { CompiledFilters } from '../crun/compiled-filters.ts'
import { execError, startError } from '../crun/failure.ts'
import { ensureAppArmorProfile } from '../host/apparmor.ts'
import {
  type Announcement,
  processKey,
  type ProcessTarget,
  type Request,
  type RuntimeCommand,
} from '../protocol/messages.ts'
import type {
  AttachedProcess,
  AttachOptions,
  ConsoleSize,
  ExecPreparation,
  ExecTarget,
  ExecRequest,
  ExitReport,
  Runtime,
  StartedProcess,
  StartRequest,
  SupervisedContainer,
  RuntimesOptions,
} from '../runtime.ts'
import { openAttachStream } from './attach-stream.ts'
import { ExecMessages } from './exec-messages.ts'
import { Bundles } from './bundles.ts'
import { type ControlLink, RuntimeFailure } from './control-link.ts'
import { linkSupervisor, type SupervisorProgram, supervisorSocket } from './launch-supervisor.ts'
import { ProcessWatch } from './process-watch.ts'
import { findRuntimes, isPlainCrun, runtimeCommand, type Runtimes } from './runtimes.ts'
import { mountNamespace } from './supervisor-elsewhere.ts'
import { updateResources } from './update-resources.ts'

export interface OpenRuntimeOptions extends RuntimesOptions {
  /** Absolute, at most 85 bytes (sockets live in it); on a file system that a reboot empties. */
  readonly runRoot: string
  readonly supervisor: SupervisorProgram
  readonly logger: Logger
}

/**
 * Connects to the run root's supervisor, starting one if none lives, and removes what a dead one left. Rejects with
 * `internal` when no supervisor can be started.
 */
export async function openRuntime(options: OpenRuntimeOptions): Promise<Runtime> {
  const runtime = new SupervisorRuntime(options, findRuntimes(options), detectCgroups())
  await runtime.open()
  return runtime
}

class SupervisorRuntime implements Runtime {
  readonly #options: OpenRuntimeOptions
  #found: Runtimes
  readonly #cgroups: Cgroups
  readonly #bundles: Bundles
  readonly #execs: ExecMessages
  readonly #filters = new CompiledFilters()
  readonly #watch = new ProcessWatch()
  readonly #exits: Emitter<ExitReport>
  readonly #ooms: Emitter<ContainerId>
  readonly #losses: Emitter<void>
  /** Exits that the listeners know of, until they are released. */
  readonly #announced = new Set<string>()
  /** Their bundles are no leftovers. */
  readonly #starting = new Set<ContainerId>()
  #link: ControlLink | undefined
  #supervisorPid = 0
  #closed = false

  constructor(options: OpenRuntimeOptions, found: Runtimes, cgroups: Cgroups) {
    this.#options = options
    this.#found = found
    this.#cgroups = cgroups
    this.#bundles = new Bundles(options.runRoot, cgroups)
    this.#execs = new ExecMessages(this.#bundles, () => this.#found, cgroups)
    const report = (error: unknown) => options.logger.error({ error }, 'a listener of the runtime failed')
    this.#exits = new Emitter(report)
    this.#ooms = new Emitter(report)
    this.#losses = new Emitter(report)
  }

  get runtimes(): Runtime['runtimes'] {
    return this.#found.commands
  }

  get defaultRuntime(): string {
    return this.#found.defaultName
  }

  reconfigure(options: RuntimesOptions): void {
    this.#found = findRuntimes(options)
  }

  async open(): Promise<void> {
    await this.#connect()
    const containers = await this.list()
    for (const report of containers.flatMap(exitReports)) this.#announced.add(processKey(report))
    for (const target of containers.flatMap(runningTargets)) this.#watch.running(target)
    await this.#sweep(containers)
  }

  async start(request: StartRequest): Promise<StartedProcess> {
    const { containerId } = request
    const command = runtimeCommand(this.#found, request.runtimeName)
    const control = this.#control()
    const spec = withConsole(request)
    await ensureAppArmorProfile(spec.process.apparmorProfile)
    const filtered = this.#filters.apply(command, spec)
    const bundle = this.#bundles.write(containerId, filtered, request.runtimeName || this.defaultRuntime)
    this.#starting.add(containerId)
    try {
      const started = await this.#requestStart(control, request, { spec, command, bundle })
      this.#filters.learn(command, spec, this.#bundles.statePath(containerId))
      return started
    } catch (error) {
      // Of a lost connection nobody knows whether the container runs: `list` will tell, or the sweep end it.
      if (!isKind(error, 'unavailable')) await this.#removeQuietly(containerId)
      if (!(error instanceof RuntimeFailure)) throw error
      throw startError(request.runtimeName || this.defaultRuntime, error.message, spec.process.args[0] ?? '')
    } finally {
      this.#starting.delete(containerId)
    }
  }

  #requestStart(
    control: ControlLink,
    { containerId, io, log }: StartRequest,
    { spec, command, bundle }: { spec: RuntimeSpec; command: RuntimeCommand; bundle: string },
  ): Promise<StartedProcess> {
    const { ociRoot } = this.#bundles
    const { cgroupsPath } = spec.linux
    const message = { containerId, command, bundle, ociRoot, cgroupsPath, io, log, ...watches(spec) }
    // The runtime moves its process some 10 ms from now: the wait of create's move is over by then.
    anticipateCgroupMove(this.#cgroups)
    return this.#watch.starting({ containerId }, control.request({ op: 'start', ...message }))
  }

  anticipateStart(): void {
    anticipateCgroupMove(this.#cgroups)
  }

  anticipateExec(request: ExecTarget): void {
    try {
      if (this.#execs.enteredCgroup(request) === undefined) anticipateCgroupMove(this.#cgroups)
    } catch {
      // It is not running: no exec will come.
    }
  }

  prepareExec(request: ExecPreparation): void {
    this.anticipateExec(request)
    this.#requestPrepare(request).catch((error: unknown) => {
      this.#options.logger.debug({ execId: request.execId, error: messageOf(error) }, 'an exec is not prepared')
    })
  }

  async #requestPrepare(request: ExecPreparation): Promise<void> {
    const message = this.#execs.prepare(request)
    if (isPlainCrun(message.command)) await this.#control().tell({ op: 'prepare', ...message })
  }

  async exec(request: ExecRequest): Promise<StartedProcess> {
    await ensureAppArmorProfile(request.process.apparmorProfile)
    return await this.#started(request, this.#control().request(this.#execMessage(request)))
  }

  async execAttached(request: ExecRequest, options: AttachOptions): Promise<AttachedProcess> {
    await ensureAppArmorProfile(request.process.apparmorProfile)
    const { containerId, execId } = request
    const control = this.#control()
    if (!control.welcome.servesWithAttach) {
      const stream = await this.attach({ containerId, execId }, options)
      return { stream, started: this.exec(request) }
    }
    const { message, reply, abandon } = control.expect(this.#execMessage(request))
    const started = this.#started(request, reply)
    // The caller hears of it once there is a stream.
    started.catch(() => {})
    try {
      return { stream: await this.#attach({ containerId, execId }, options, message), started }
    } catch (error) {
      abandon(error as Error)
      throw error
    }
  }

  #execMessage(request: ExecRequest): Extract<Request, { op: 'exec' }> {
    return { op: 'exec', ...this.#execs.exec(request, withTerminal(request.process, request)) }
  }

  async #started(
    { containerId, execId, process }: ExecRequest,
    reply: Promise<StartedProcess>,
  ): Promise<StartedProcess> {
    try {
      return await this.#watch.starting({ containerId, execId }, reply)
    } catch (error) {
      if (error instanceof RuntimeFailure) throw execError(error.message, process.args[0] ?? '')
      throw error
    }
  }

  attach(target: ProcessTarget, options: AttachOptions): Promise<Duplex> {
    return this.#attach(target, options)
  }

  /** `request`: of the control connection's, to be served once the client is attached. */
  #attach(target: ProcessTarget, options: AttachOptions, request?: object): Promise<Duplex> {
    return openAttachStream({
      path: supervisorSocket(this.#options.runRoot),
      target,
      options,
      ...(request && { request }),
      beforeEnd: () => this.#watch.settled(target),
    })
  }

  async kill(target: ProcessTarget, signal: number): Promise<void> {
    await this.#control().request({ op: 'kill', target, signal })
  }

  async resize(target: ProcessTarget, size: ConsoleSize): Promise<void> {
    await this.#control().request({ op: 'resize', target, size })
  }

  async pause(containerId: ContainerId): Promise<void> {
    await freezeCgroup(this.#cgroups, this.#cgroupOf(containerId))
  }

  async resume(containerId: ContainerId): Promise<void> {
    await thawCgroup(this.#cgroups, this.#cgroupOf(containerId))
  }

  async update(containerId: ContainerId, resources: RuntimeResources): Promise<void> {
    const command = runtimeCommand(this.#found, this.#bundles.runtimeName(containerId))
    const bundle = this.#bundles.path(containerId)
    const pidsCgroup = controllerPath(this.#cgroups, 'pids', this.#cgroupOf(containerId)) ?? ''
    await updateResources({ command, ociRoot: this.#bundles.ociRoot, bundle, containerId, resources, pidsCgroup })
  }

  async pids(containerId: ContainerId): Promise<number[]> {
    const pids = cgroupProcesses(this.#cgroups, this.#cgroupOf(containerId))
    const outside = mountNamespace(this.#supervisorPid)
    return pids.filter((pid) => mountNamespace(pid) !== outside)
  }

  async release(containerId: ContainerId): Promise<void> {
    await this.#control().request({ op: 'release', target: { containerId } })
    for (const key of this.#announced) if (key.startsWith(containerId)) this.#announced.delete(key)
    await this.#bundles.remove(containerId)
  }

  async releaseExec(containerId: ContainerId, execId: ExecId): Promise<void> {
    await this.#control().tell({ op: 'release', target: { containerId, execId } })
    this.#announced.delete(processKey({ containerId, execId }))
  }

  async list(): Promise<SupervisedContainer[]> {
    return await this.#control().request({ op: 'list' })
  }

  onExit(listener: (report: ExitReport) => void): Disposable {
    return this.#exits.on(listener)
  }

  onOom(listener: (containerId: ContainerId) => void): Disposable {
    return this.#ooms.on(listener)
  }

  onSupervisorLost(listener: () => void): Disposable {
    return this.#losses.on(listener)
  }

  /** Leaves the supervisor to its containers; it ends when it has none. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await this.#link?.request({ op: 'shutdown' }).catch(() => {})
    this.#link?.[Symbol.dispose]()
  }

  async #connect(): Promise<void> {
    const { runRoot, supervisor } = this.#options
    this.#link = await linkSupervisor(
      { runRoot, program: supervisor },
      { onAnnouncement: (announcement) => this.#announce(announcement), onClose: () => this.#onClose() },
    )
    this.#supervisorPid = this.#link.welcome.pid
  }

  #announce(announcement: Announcement): void {
    if (announcement.announce === 'oom') this.#ooms.emit(announcement.containerId)
    else this.#tellExit(announcement.report)
  }

  #tellExit(report: ExitReport): void {
    const key = processKey(report)
    if (this.#announced.has(key)) return
    this.#announced.add(key)
    this.#exits.emit(report)
    this.#watch.ended(report)
  }

  #onClose(): void {
    if (this.#closed) return
    this.#reconnect().catch((error: unknown) => {
      this.#options.logger.error({ error: messageOf(error) }, 'the supervisor cannot be reached')
    })
  }

  /** The connection was lost: the supervisor died, or another connection took our place. */
  async #reconnect(): Promise<void> {
    const pid = this.#supervisorPid
    this.#link = undefined
    await this.#untilConnected()
    const containers = await this.list()
    if (this.#supervisorPid !== pid) return await this.#onLost(containers)
    for (const report of containers.flatMap(exitReports)) this.#tellExit(report)
  }

  async #untilConnected(): Promise<void> {
    for (let waitMs = 10; !this.#closed; waitMs = Math.min(waitMs * 2, 5000)) {
      try {
        return await this.#connect()
      } catch (error) {
        this.#options.logger.error({ error: messageOf(error) }, 'the supervisor cannot be reached')
        await delay(waitMs)
      }
    }
  }

  async #onLost(containers: readonly SupervisedContainer[]): Promise<void> {
    this.#options.logger.error({}, 'the supervisor died: its containers are lost')
    this.#announced.clear()
    this.#watch.allEnded()
    await this.#sweep(containers)
    this.#losses.emit()
  }

  async #sweep(containers: readonly SupervisedContainer[]): Promise<void> {
    const known = new Set([...containers.map(({ containerId }) => containerId), ...this.#starting])
    const swept = await this.#bundles.sweep(known)
    if (swept.length > 0) this.#options.logger.warn({ containers: swept }, 'removed what lost containers left behind')
  }

  async #removeQuietly(containerId: ContainerId): Promise<void> {
    try {
      await this.#bundles.remove(containerId)
    } catch (error) {
      this.#options.logger.warn({ containerId, error: messageOf(error) }, 'a failed start left something behind')
    }
  }

  #control(): ControlLink {
    if (!this.#link) throw unavailable('the supervisor is being restarted')
    return this.#link
  }

  #cgroupOf(containerId: ContainerId): string {
    const path = this.#bundles.cgroupsPath(containerId)
    if (path === undefined) throw notFound(`container ${containerId} has no cgroup`)
    return path
  }
}

/** The spec with what the streams decide: whether there is a terminal, and its first size. */
const withConsole = (request: StartRequest): RuntimeSpec => ({
  ...request.spec,
  process: withTerminal(request.spec.process, request),
})

function withTerminal(process: RuntimeSpec['process'], { io }: Pick<StartRequest, 'io'>): RuntimeSpec['process'] {
  const size = io.tty ? io.consoleSize : undefined
  const consoleSize = size && { height: size.rows, width: size.columns }
  return { ...process, terminal: io.tty, ...(consoleSize && { consoleSize }) }
}

/** What the supervisor has to look after, besides streams and exit. */
function watches({ linux }: RuntimeSpec): { watchOom: boolean; sharesPids: boolean } {
  const pidNamespace = linux.namespaces.find(({ type }) => type === 'pid')
  const limit = linux.resources?.memory?.limit
  return { watchOom: limit !== undefined && limit > 0, sharesPids: !pidNamespace || pidNamespace.path !== undefined }
}

const exitReports = ({ exit, execs }: SupervisedContainer): ExitReport[] =>
  [exit, ...execs.map((exec) => exec.exit)].filter((report) => report !== undefined)

const runningTargets = ({ containerId, exit, execs }: SupervisedContainer): ProcessTarget[] => [
  ...(exit ? [] : [{ containerId }]),
  ...execs.filter((exec) => !exec.exit).map(({ execId }) => ({ containerId, execId })),
]
