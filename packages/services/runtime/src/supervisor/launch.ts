import { readFileSync, writeFileSync } from 'node:fs'
import { nowText } from '@berth/base'
import { type ExitStatus, hastenWithoutChildren, killPid, type Reaper, removeFile, spawnProcess } from '@berth/linux'
import { type RuntimeFiles, runtimePath } from '../crun/arguments.ts'
import { readRuntimeError } from '../crun/runtime-log.ts'
import type { RuntimeCommand } from '../protocol/messages.ts'
import type { ProcessIo } from '../runtime.ts'
import { openConsole, openPipes, type StreamPair } from '../stdio/process-streams.ts'
import type { Relay } from '../stdio/relay.ts'
import { type CgroupEntry, enteringCommand } from './cgroup-entry.ts'
import type { SealedPrograms } from './sealed-programs.ts'

/** The OCI runtime refused: its own words. */
export class RuntimeRefusal extends Error {
  override readonly name = 'RuntimeRefusal'
}

export interface Launch {
  readonly programs: SealedPrograms
  readonly command: RuntimeCommand
  readonly args: readonly string[]
  readonly files: RuntimeFiles
  readonly io: Pick<ProcessIo, 'openStdin'>
  /** Of the runtime, which its process inherits unless it says otherwise. */
  readonly oomScoreAdj?: number
  /** The runtime's descriptor 3. */
  readonly inputFd?: number
  /** Where the runtime goes before it runs. */
  readonly entry?: CgroupEntry
}

export interface Launched {
  readonly pid: number
  readonly startedAt: string
}

/** An OCI runtime that was started. Whoever has it completes it or disposes of it. */
export interface RuntimeCall extends Disposable {
  readonly pid: number
  readonly files: RuntimeFiles
  readonly ended: Promise<ExitStatus>
  readonly hasEnded: () => boolean
  readonly pair: StreamPair
}

/** A terminal's master is sent before the runtime ends. */
const masterMs = 5000

/** Starts the OCI runtime. Disposing closes what it was given, and is not needed once it is completed. */
export function callRuntime(reaper: Reaper, launch: Launch): RuntimeCall {
  const { files, io } = launch
  const pair = files.consolePath === undefined ? openPipes(io.openStdin) : openConsole(files.consolePath)
  try {
    const pid = spawnRuntime(launch, pair.childFds)
    pair.closeChildEnds()
    // crun lets an exec's program run when its terminal is made, and sets the size only then.
    if (files.consolePath !== undefined) hastenWithoutChildren(pid)
    if (launch.oomScoreAdj !== undefined) writeOomScoreAdj(pid, launch.oomScoreAdj)
    let hasEnded = false
    const ended = reaper.exit(pid)
    void ended.then(() => (hasEnded = true))
    return { pid, files, ended, hasEnded: () => hasEnded, pair, [Symbol.dispose]: () => pair[Symbol.dispose]() }
  } catch (error) {
    pair[Symbol.dispose]()
    throw error
  }
}

/**
 * Waits for the runtime, which starts a process and leaves it to this one (a subreaper); `relay` carries its streams from
 * then on, since the runtime itself writes its complaints to them. When it fails everything is closed, and the relay's
 * clients are sent away.
 */
export async function completeCall(call: RuntimeCall, relay: Relay, io: ProcessIo): Promise<Launched> {
  using running = call
  const { files, pair } = running
  if (io.consoleSize) pair.resize(io.consoleSize)
  try {
    await succeeded(running)
    const launched = { pid: readPid(files.pidFile), startedAt: nowText() }
    const streams = pair.streams(AbortSignal.timeout(masterMs))
    relay.start(await streams.catch((error: unknown) => abandon(launched.pid, error)))
    return launched
  } catch (error) {
    endRelay(relay)
    throw error
  }
}

/** Both; `relay` is closed, too, when the runtime cannot be started at all. */
export async function launch(reaper: Reaper, options: Launch, relay: Relay, io: ProcessIo): Promise<Launched> {
  let call: RuntimeCall
  try {
    call = callRuntime(reaper, options)
  } catch (error) {
    endRelay(relay)
    throw error
  }
  return await completeCall(call, relay, io)
}

/** Sends the clients of a process away that will not be. */
export function endRelay(relay: Relay): void {
  void relay.close()
  relay.finish()
}

function spawnRuntime({ programs, command, args, inputFd, entry }: Launch, fds: readonly number[]): number {
  try {
    const program = programs.path(command.path)
    const runtime = [program, ...command.args, ...args]
    const [path = program, ...rest] = entry ? enteringCommand(entry, runtime) : runtime
    return spawnProcess({
      path,
      ...(!entry && { name: command.path }),
      args: rest,
      env: [`PATH=${runtimePath}`],
      fds: inputFd === undefined ? fds : [...fds, inputFd],
    })
  } catch (error) {
    throw new RuntimeRefusal(`cannot run ${command.path}`, { cause: error })
  }
}

/** A process that has ended already, or may not be made less likely to be killed, stays as it is: its runtime says why. */
function writeOomScoreAdj(pid: number, value: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(value))
  } catch {}
}

async function succeeded({ ended, files }: RuntimeCall): Promise<void> {
  const { code } = await ended
  if (code === 0) return
  throw new RuntimeRefusal(readRuntimeError(files.logFile) ?? `the runtime ended with status ${code}`)
}

function readPid(pidFile: string): number {
  const pid = Number(readFileSync(pidFile, 'latin1'))
  if (!Number.isSafeInteger(pid) || pid < 2) throw new Error(`no pid in ${pidFile}`)
  removeFile(pidFile)
  return pid
}

/** The process runs, but its terminal did not come. */
function abandon(pid: number, error: unknown): never {
  killPid(pid, 9)
  throw error
}
