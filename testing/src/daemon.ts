import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { EngineApi } from './engine-api.ts'
import { commandLine, removeEmptyCgroups } from './host-state.ts'
import { patience } from './patience.ts'
import { createSandbox, processesInside, type Sandbox } from './sandbox.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))

export interface DaemonOptions {
  /** Further arguments of `berth daemon`. */
  readonly args?: readonly string[]
  /** The same, of the folder that holds the daemon's roots. */
  readonly argsIn?: (folder: string) => readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** A data root made by the caller (inside the sandbox's mounts or not); default: a new temporary one. */
  readonly dataRoot?: string
  /** Run inside this sandbox, before the daemon starts (a tmpfs over the data root, ...). */
  readonly prepare?: (sandbox: Sandbox, folder: string) => void
}

/** A berthd of its own: own mounts, own network, own folders. Dispose it: what it leaves behind is an error. */
export interface TestDaemon extends AsyncDisposable {
  /** For DOCKER_HOST. */
  readonly host: string
  readonly api: EngineApi
  readonly sandbox: Sandbox
  readonly dataRoot: string
  readonly runRoot: string
  /** Of berthd; 0 while it is down. */
  readonly pid: number
  /** What berthd has printed so far. */
  log(): string
  /** Ends berthd with `signal` and waits for its end. Containers and the supervisor stay when it is SIGKILL. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Starts it again on the same folders and waits until it answers; `env` and what runs it are this start's only. */
  start(env?: Readonly<Record<string, string>>, through?: readonly string[]): Promise<void>
  /** Resolves when berthd ends by itself. */
  ended(): Promise<void>
  /** The supervisors that run for it. */
  supervisors(): number[]
}

/** Starts `bin/berth daemon` in a sandbox and waits until it answers. */
export async function startDaemon(options: DaemonOptions = {}): Promise<TestDaemon> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-'))
  const sandbox = await createSandbox()
  const daemon = new Daemon(folder, sandbox, options)
  try {
    options.prepare?.(sandbox, folder)
    await daemon.start()
  } catch (error) {
    await daemon[Symbol.asyncDispose]().catch(() => {})
    throw error
  }
  return daemon
}

class Daemon implements TestDaemon {
  readonly host: string
  readonly api: EngineApi
  readonly sandbox: Sandbox
  readonly dataRoot: string
  readonly runRoot: string
  readonly #folder: string
  readonly #options: DaemonOptions
  readonly #further: readonly string[]
  #process: ChildProcess | undefined

  constructor(folder: string, sandbox: Sandbox, options: DaemonOptions) {
    this.#folder = folder
    this.#options = options
    this.#further = options.argsIn?.(folder) ?? []
    this.sandbox = sandbox
    this.dataRoot = options.dataRoot ?? join(folder, 'data')
    this.runRoot = join(folder, 'run')
    this.host = `unix://${join(folder, 'berth.sock')}`
    this.api = new EngineApi(this.host)
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  log(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8')
  }

  supervisors(): number[] {
    return this.#processes().filter((pid) => /supervisor/.test(commandLine(pid)))
  }

  async start(extra: Readonly<Record<string, string>> = {}, through: readonly string[] = []): Promise<void> {
    const roots = ['--data-root', this.dataRoot, '--exec-root', this.runRoot, '--pidfile', join(this.#folder, 'pid')]
    const own = ['-H', this.host, ...roots, '--cgroup-parent', `/${this.sandbox.name}`]
    const argv = [join(repository, 'bin/berth'), 'daemon', ...own, ...(this.#options.args ?? []), ...this.#further]
    const { file, args, env } = this.sandbox.enter([...through, ...argv])
    const child = spawn(file, args, {
      env: { ...env, ...this.#options.env, ...extra },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const log = createWriteStream(join(this.#folder, 'log'), { flags: 'a' })
    child.stdout.pipe(log, { end: false })
    child.stderr.pipe(log, { end: false })
    child.once('exit', () => log.end())
    this.#process = child
    await this.#answering(child)
  }

  async ended(): Promise<void> {
    const child = this.#process
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    this.#process = undefined
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, 'exit')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const unremoved = await this.#removeContainers().catch((error: unknown) => [`containers: ${error}`])
    await this.#terminate()
    const late = await this.#endProcesses()
    removeEmptyCgroups(this.sandbox.name, this.sandbox.pid)
    const leaks = [...unremoved, ...late, ...(await this.sandbox.close())]
    const log = this.log()
    rmSync(this.#folder, { recursive: true, force: true })
    if (leaks.length > 0) throw new Error(`berthd left behind:\n${leaks.join('\n')}\nits log:\n${log.slice(-4000)}`)
  }

  async #answering(child: ChildProcess): Promise<void> {
    const deadline = performance.now() + patience(20_000)
    for (;;) {
      if (await this.api.ping()) return
      const hasEnded = child.exitCode !== null || child.signalCode !== null
      if (hasEnded || performance.now() > deadline) {
        throw new Error(`berthd did not start:\n${this.log().slice(-4000)}`)
      }
      await sleep(10)
    }
  }

  /** What could not be removed, and why. */
  async #removeContainers(): Promise<string[]> {
    if (!this.#process || this.#process.exitCode !== null) return []
    const all = (await this.api.json('GET', '/containers/json?all=1')) as { Id: string }[]
    const answers = all.map(({ Id }) => this.api.request('DELETE', `/containers/${Id}?force=1&v=1`))
    return (await Promise.all(answers)).filter(({ status }) => status >= 400).map(({ text }) => `container: ${text}`)
  }

  /** SIGTERM; when that does not help within 15 seconds, SIGKILL. */
  async #terminate(): Promise<void> {
    const child = this.#process
    const timer = setTimeout(() => child?.kill('SIGKILL'), patience(15_000))
    await this.kill('SIGTERM')
    clearTimeout(timer)
  }

  /** Every process inside but the holder. */
  #processes(): number[] {
    return processesInside(this.sandbox)
  }

  /** The supervisor outlives berthd by design; whatever else does is named. */
  async #endProcesses(): Promise<string[]> {
    const supervisors = this.supervisors()
    for (const pid of supervisors) process.kill(pid, 'SIGTERM')
    const deadline = performance.now() + patience(5000)
    while (this.#processes().length > 0 && performance.now() < deadline) await sleep(20)
    const left = this.#processes()
    const lines = left.map((pid) => `process ${pid} ${commandLine(pid)}`)
    for (const pid of left) process.kill(pid, 'SIGKILL')
    return lines
  }
}
