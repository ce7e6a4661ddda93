import { join } from 'node:path'
import { type ContainerId, messageOf } from '@berth/base'
import { type Cgroups, enterUnified, type Reaper, removeFile } from '@berth/linux'
import { execArguments, inheritedProcess } from '../crun/arguments.ts'
import type { ExecMessage, PrepareMessage } from '../protocol/messages.ts'
import type { Relay } from '../stdio/relay.ts'
import { type CgroupEntry, cgroupEntry, type EntryRequest } from './cgroup-entry.ts'
import { ExecBursts } from './exec-bursts.ts'
import { callRuntime, completeCall, endRelay, type Launch, type Launched, launch } from './launch.ts'
import { warn } from './log.ts'
import { type PreparedExec, PreparedExecs } from './prepared-execs.ts'
import { ProcessPipe } from './process-pipe.ts'
import type { RuntimeLaunches } from './runtime-launches.ts'

/** A container of many processes is looked through: after the answer, and not before the end of a short one has been told. */
const entryPauseMs = 5

/** Starts the processes of execs, by runtimes that were started beforehand where there are some. */
export class ExecLauncher {
  readonly #reaper: Reaper
  readonly #launches: RuntimeLaunches
  readonly #cgroups: () => Cgroups
  readonly #prepared = new PreparedExecs()
  readonly #bursts = new ExecBursts()
  /** Of running containers; they stay as they are. */
  readonly #entries = new Map<ContainerId, CgroupEntry>()
  #spares = 0

  constructor(reaper: Reaper, launches: RuntimeLaunches, cgroups: () => Cgroups) {
    this.#reaper = reaper
    this.#launches = launches
    this.#cgroups = cgroups
  }

  /** Starts the runtime of an exec that is likely to come. */
  prepare(message: PrepareMessage): void {
    const { containerId, execId } = message
    if (this.#prepared.has(execId)) return
    const spare = this.#prepared.take(likeness(message))
    if (spare) this.#prepared.add(containerId, execId, spare)
    else if (this.#prepared.hasRoom) this.#prepared.add(containerId, execId, this.#callForPiped(message))
  }

  /** Rejects with the runtime's refusal; nothing is left in the bundle either way. */
  async launch(message: ExecMessage, relay: Relay): Promise<Launched> {
    const launched = await this.#launch(message, relay)
    if (message.cgroupsPath !== undefined) this.#completeEntry(message.cgroupsPath)
    if (message.process !== undefined) this.#bursts.note(message.containerId, () => this.#prepareSpare(message))
    return launched
  }

  /** The container has ended: nothing must enter it any more. */
  dropOf(containerId: ContainerId): void {
    this.#bursts.forget(containerId)
    this.#entries.delete(containerId)
    this.#prepared.dropOf(containerId)
  }

  /** Starts a runtime for one more exec like that one. */
  #prepareSpare(message: PrepareMessage): void {
    const key = likeness(message)
    if (this.#prepared.has(key) || !this.#prepared.hasRoom) return
    try {
      this.#prepared.add(message.containerId, key, this.#callForPiped(message, `spare-${++this.#spares}`))
    } catch (error) {
      warn({ containerId: message.containerId, error: messageOf(error) }, 'no runtime is kept for the next exec')
    }
  }

  async #launch(message: ExecMessage, relay: Relay): Promise<Launched> {
    if (message.process === undefined) return await this.#launchFromFile(message, relay)
    const { call, pipe } = this.#prepared.take(message.execId) ?? this.#callFor(message, relay)
    try {
      pipe.give(message.process)
      return await completeCall(call, relay, message.io)
    } finally {
      removeFile(call.files.logFile)
    }
  }

  /** Detached: the v2 tree of a hybrid only counts and kills, and the process need not wait for its lock. */
  #completeEntry(cgroupsPath: string): void {
    const enter = () =>
      enterUnified(this.#cgroups(), cgroupsPath).catch((error: unknown) =>
        warn({ cgroupsPath, error: messageOf(error) }, 'an exec is not in the v2 cgroup of its container'),
      )
    setTimeout(() => void enter(), entryPauseMs)
  }

  async #launchFromFile(message: ExecMessage, relay: Relay): Promise<Launched> {
    this.#prepared.drop(message.execId)
    const processFile = join(message.bundle, `exec-${message.execId}.json`)
    const options = this.#options(message, processFile, `exec-${message.execId}`)
    try {
      return await launch(this.#reaper, options, relay, message.io)
    } finally {
      for (const file of [options.files.logFile, processFile]) removeFile(file)
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
  #callForPiped(message: PrepareMessage, name = `exec-${message.execId}`): PreparedExec {
    const pipe = new ProcessPipe()
    try {
      const options = this.#options(message, inheritedProcess, name)
      const call = callRuntime(this.#reaper, { ...options, inputFd: pipe.readFd })
      pipe.closeReadEnd()
      return { call, pipe }
    } catch (error) {
      pipe[Symbol.dispose]()
      throw error
    }
  }

  #entryOf(request: EntryRequest): CgroupEntry | undefined {
    const entry = this.#entries.get(request.containerId) ?? cgroupEntry(this.#cgroups(), request)
    if (entry) this.#entries.set(request.containerId, entry)
    return entry
  }

  /** `name`: of the call's files. */
  #options(message: PrepareMessage, processFile: string, name: string): Launch {
    const { containerId, command, bundle, oomScoreAdj, io, cgroupsPath } = message
    const files = this.#launches.files(bundle, name, io)
    const entry = cgroupsPath === undefined ? undefined : this.#entryOf({ ...message, cgroupsPath })
    const args = execArguments(entry?.ociRoot ?? message.ociRoot, { containerId, processFile }, files)
    return { ...this.#launches.options(command, args, files, io), oomScoreAdj, ...(entry && { entry }) }
  }
}

/** One text for all execs that a runtime which knows no process yet may be started for. */
function likeness({ containerId, command, cgroupsPath, oomScoreAdj, io }: PrepareMessage): string {
  return JSON.stringify([containerId, command, cgroupsPath, oomScoreAdj, io.tty, io.openStdin])
}
