import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerId } from '@berth/base'
import type { Reaper } from '@berth/linux'
import { execArguments, inheritedProcess } from '../crun/arguments.ts'
import type { ExecMessage, PrepareMessage } from '../protocol/messages.ts'
import type { Relay } from '../stdio/relay.ts'
import { callRuntime, completeCall, endRelay, type Launch, type Launched, launch } from './launch.ts'
import { type PreparedExec, PreparedExecs } from './prepared-execs.ts'
import { ProcessPipe } from './process-pipe.ts'
import type { RuntimeLaunches } from './runtime-launches.ts'

/** Starts the processes of execs, by runtimes that were started beforehand where there are some. */
export class ExecLauncher {
  readonly #reaper: Reaper
  readonly #launches: RuntimeLaunches
  readonly #prepared = new PreparedExecs()

  constructor(reaper: Reaper, launches: RuntimeLaunches) {
    this.#reaper = reaper
    this.#launches = launches
  }

  /** Starts the runtime of an exec that is likely to come. */
  prepare(message: PrepareMessage): void {
    const { containerId, execId } = message
    if (this.#prepared.has(execId) || !this.#prepared.hasRoom) return
    this.#prepared.add(containerId, execId, this.#callForPiped(message))
  }

  /** Rejects with the runtime's refusal; nothing is left in the bundle either way. */
  async launch(message: ExecMessage, relay: Relay): Promise<Launched> {
    if (message.process === undefined) return await this.#launchFromFile(message, relay)
    const { call, pipe } = this.#prepared.take(message.execId) ?? this.#callFor(message, relay)
    try {
      pipe.give(message.process)
      return await completeCall(call, relay, message.io)
    } finally {
      rmSync(call.files.logFile, { force: true })
    }
  }

  /** The container has ended: nothing must enter it any more. */
  dropOf(containerId: ContainerId): void {
    this.#prepared.dropOf(containerId)
  }

  async #launchFromFile(message: ExecMessage, relay: Relay): Promise<Launched> {
    this.#prepared.drop(message.execId)
    const processFile = join(message.bundle, `exec-${message.execId}.json`)
    const options = this.#options(message, processFile)
    try {
      return await launch(this.#reaper, options, relay, message.io)
    } finally {
      for (const file of [options.files.logFile, processFile]) rmSync(file, { force: true })
    }
  }

  #callFor(message: ExecMessage, relay: Relay): PreparedExec {
    try {
      return this.#callForPiped(message)
    } catch (error) {
      endRelay(relay)
      throw error
    }
  }

  /** A runtime that is to be given its process by a pipe. */
  #callForPiped(message: PrepareMessage): PreparedExec {
    const pipe = new ProcessPipe()
    try {
      const options = this.#options(message, inheritedProcess)
      const call = callRuntime(this.#reaper, { ...options, inputFd: pipe.readFd })
      pipe.closeReadEnd()
      return { call, pipe }
    } catch (error) {
      pipe[Symbol.dispose]()
      throw error
    }
  }

  #options(message: PrepareMessage, processFile: string): Launch {
    const { containerId, execId, command, ociRoot, bundle, oomScoreAdj, io } = message
    const files = this.#launches.files(bundle, `exec-${execId}`, io)
    const args = execArguments(ociRoot, { containerId, processFile }, files)
    return { ...this.#launches.options(command, args, files, io), oomScoreAdj }
  }
}
