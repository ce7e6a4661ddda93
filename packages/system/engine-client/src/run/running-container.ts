import type { ContainerInspectResponse, ContainerStatsResponse } from '@berth/engine-api'
import type { EngineClient } from '../engine-client.ts'
import { isStatus } from '../errors.ts'
import { Demultiplexer } from '../frames.ts'
import { type LogLine, readLogLines } from '../log-lines.ts'

export interface ExecResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface ContainerLogsOptions {
  readonly follow?: boolean
  /** Lines from the end; default: all. */
  readonly tail?: number
  readonly signal?: AbortSignal
}

/** A container that `run` has started. Disposing of it removes it, with its anonymous volumes, whatever it does. */
export class RunningContainer implements AsyncDisposable {
  readonly id: string
  readonly name: string
  readonly #client: EngineClient

  constructor(client: EngineClient, { id, name }: { id: string; name: string }) {
    this.#client = client
    this.id = id
    this.name = name
  }

  inspect(signal?: AbortSignal): Promise<ContainerInspectResponse> {
    return this.#engine(signal).containers.inspect(this.id)
  }

  /** Where a port inside is reached from here; throws an Error if it is not published. */
  async port(inside: number | string, signal?: AbortSignal): Promise<{ host: string; port: number }> {
    const key = String(inside).includes('/') ? String(inside) : `${inside}/tcp`
    const { NetworkSettings } = await this.inspect(signal)
    const binding = NetworkSettings.Ports?.[key]?.[0]
    if (binding === undefined) throw new Error(`container ${this.name} does not publish port ${key}`)
    const everywhere = binding.HostIp === '' || binding.HostIp === '0.0.0.0' || binding.HostIp === '::'
    return { host: everywhere ? '127.0.0.1' : binding.HostIp, port: Number(binding.HostPort) }
  }

  /** Its output, line by line; with `follow` until it ends. */
  async *logs({ follow, tail, signal }: ContainerLogsOptions = {}): AsyncGenerator<LogLine, void> {
    const options = { stdout: true, stderr: true, follow, tail: tail === undefined ? undefined : String(tail) }
    yield* readLogLines(await this.#engine(signal).containers.logs(this.id, options))
  }

  /** One measurement a second until it ends. */
  stats(signal?: AbortSignal): AsyncGenerator<ContainerStatsResponse, void> {
    return this.#engine(signal).containers.stats(this.id, true)
  }

  /** Runs a further command inside, to its end. */
  async exec(command: readonly string[], { signal }: { signal?: AbortSignal } = {}): Promise<ExecResult> {
    const { exec } = this.#engine(signal)
    const body = { Cmd: [...command], AttachStdout: true, AttachStderr: true }
    const { Id } = await exec.create(this.id, body)
    const connection = await exec.attach(Id, {})
    const demultiplexer = new Demultiplexer()
    const output: Record<string, Buffer[]> = { stdout: [], stderr: [] }
    for (let chunk = await connection.read(); chunk !== undefined; chunk = await connection.read()) {
      for (const { stream, data } of demultiplexer.push(chunk)) output[stream]?.push(data)
    }
    connection.destroy()
    const { ExitCode } = await exec.inspect(Id)
    const text = (name: string): string => Buffer.concat(output[name] ?? []).toString()
    return { exitCode: ExitCode ?? 0, stdout: text('stdout'), stderr: text('stderr') }
  }

  /** Its exit code, once it has ended. */
  async wait(signal?: AbortSignal): Promise<number> {
    const { result } = await this.#engine(signal).containers.wait(this.id, 'not-running')
    return (await result).StatusCode
  }

  async stop(options: { timeoutS?: number; signal?: AbortSignal } = {}): Promise<void> {
    await this.#engine(options.signal).containers.stop(this.id, { timeout: options.timeoutS })
  }

  async kill(unixSignal = 'SIGKILL', signal?: AbortSignal): Promise<void> {
    await this.#engine(signal).containers.kill(this.id, unixSignal)
  }

  /** Ends and removes it; one that is gone already is as good. */
  async remove(signal?: AbortSignal): Promise<void> {
    try {
      await this.#engine(signal).containers.remove(this.id, { force: true, v: true })
    } catch (error) {
      if (!isStatus(error, 404) && !isStatus(error, 409)) throw error
    }
  }

  #engine(signal: AbortSignal | undefined): EngineClient {
    return signal === undefined ? this.#client : this.#client.withSignal(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove()
  }
}
