import { type ContainerId, Emitter, type ExecId, notFound, nowText } from '@berth/base'
import type {
  ExecPreparation,
  ExecRequest,
  ExitReport,
  Runtime,
  StartRequest,
  SupervisedContainer,
} from '@berth/runtime'
import { PassThrough } from 'node:stream'

/** A runtime of no processes: tests say when one ends. */
export class FakeRuntime implements Runtime {
  reconfigure(): void {}
  readonly runtimes = { crun: { path: '/usr/bin/crun', args: [] } }
  readonly defaultRuntime = 'crun'
  readonly calls: string[] = []
  readonly live = new Map<ContainerId, { pid: number; startedAt: string }>()
  readonly execs = new Map<ExecId, ExecRequest>()
  readonly prepared: ExecId[] = []
  readonly unacknowledged = new Map<ContainerId, ExitReport>()
  /** When those that ended had been started. */
  readonly endedAtStart = new Map<ContainerId, string>()
  /** Called when a list was made, before it is handed out. */
  listed: () => void = () => {}
  /** Makes the next start fail. */
  startError: Error | undefined
  /** Awaited by every start. */
  beforeStart = async (): Promise<void> => {}
  /** Signals that end a container at once. */
  deadly = new Set([9, 15])
  readonly #exits = new Emitter<ExitReport>()
  readonly #ooms = new Emitter<ContainerId>()
  readonly #lost = new Emitter<void>()
  #nextPid = 1000

  async start({ containerId }: StartRequest) {
    this.calls.push('start')
    if (this.startError) throw this.startError
    await this.beforeStart()
    const started = { pid: this.#nextPid++, startedAt: nowText() }
    this.live.set(containerId, started)
    return started
  }

  anticipateStart() {}
  anticipateExec() {}

  prepareExec({ execId }: ExecPreparation) {
    this.prepared.push(execId)
  }

  async exec(request: ExecRequest) {
    this.execs.set(request.execId, request)
    return { pid: this.#nextPid++, startedAt: nowText() }
  }

  async execAttached(request: ExecRequest) {
    return { stream: new PassThrough(), started: this.exec(request) }
  }

  async attach() {
    return new PassThrough()
  }

  async kill({ containerId, execId }: { containerId: ContainerId; execId?: ExecId }, signal: number) {
    this.calls.push(`kill ${signal}`)
    if (!this.live.has(containerId)) throw notFound('no such process')
    if (execId === undefined && this.deadly.has(signal)) this.end(containerId, 128 + signal)
  }

  async resize() {}

  async pause() {
    this.calls.push('pause')
  }

  async resume() {
    this.calls.push('resume')
  }

  async update() {
    this.calls.push('update')
  }

  async pids() {
    return []
  }

  async release(containerId: ContainerId) {
    this.calls.push('release')
    this.unacknowledged.delete(containerId)
  }

  async releaseExec() {}

  async list(): Promise<SupervisedContainer[]> {
    const running = [...this.live].map(([containerId, started]) => ({ containerId, ...started, execs: [] }))
    const ended = [...this.unacknowledged].map(([containerId, exit]) => {
      const startedAt = this.endedAtStart.get(containerId) ?? nowText()
      return { containerId, pid: 0, startedAt, exit, execs: [] }
    })
    this.listed()
    return [...running, ...ended]
  }

  onExit(listener: (report: ExitReport) => void) {
    return this.#exits.on(listener)
  }

  onOom(listener: (id: ContainerId) => void) {
    return this.#ooms.on(listener)
  }

  onSupervisorLost(listener: () => void) {
    return this.#lost.on(listener)
  }

  /** Ends a container's first process; `silently`: while nobody listens. */
  end(containerId: ContainerId, exitCode: number, options: { readonly silently?: boolean } = {}) {
    this.endedAtStart.set(containerId, this.live.get(containerId)?.startedAt ?? nowText())
    this.live.delete(containerId)
    const report = { containerId, exitCode, oomKilled: false, exitedAt: nowText() }
    this.unacknowledged.set(containerId, report)
    if (!options.silently) this.#exits.emit(report)
  }

  async [Symbol.asyncDispose]() {}
}
