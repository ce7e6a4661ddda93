import { readFileSync, rmSync } from 'node:fs'
import { nowText } from '@berth/base'
import { killPid, type Reaper, spawnProcess } from '@berth/linux'
import { type RuntimeFiles, runtimePath } from '../crun/arguments.ts'
import { readRuntimeError } from '../crun/runtime-log.ts'
import type { RuntimeCommand } from '../protocol/messages.ts'
import type { ProcessIo } from '../runtime.ts'
import { openConsole, openPipes } from '../stdio/process-streams.ts'
import type { Relay } from '../stdio/relay.ts'
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
  readonly io: ProcessIo
  readonly relay: Relay
}

export interface Launched {
  readonly pid: number
  readonly startedAt: string
}

/** A terminal's master is sent before the runtime ends. */
const masterMs = 5000

/**
 * Runs the OCI runtime, which starts a process and leaves it to this one (a subreaper); `relay` carries its streams from
 * then on, since the runtime itself writes its complaints to them. When it fails everything is closed, and the relay's
 * clients are sent away.
 */
export async function launch(reaper: Reaper, options: Launch): Promise<Launched> {
  const { files, io, relay } = options
  using pair =
    files.consolePath === undefined ? openPipes(io.openStdin) : openConsole(files.consolePath, io.consoleSize)
  try {
    const runtime = spawnRuntime(options, pair.childFds)
    pair.closeChildEnds()
    await finished(reaper, runtime, files.logFile)
    const launched = { pid: readPid(files.pidFile), startedAt: nowText() }
    const streams = pair.streams(AbortSignal.timeout(masterMs))
    relay.start(await streams.catch((error: unknown) => abandon(launched.pid, error)))
    return launched
  } catch (error) {
    relay.close()
    relay.finish()
    throw error
  }
}

function spawnRuntime({ programs, command, args }: Launch, fds: readonly number[]): number {
  try {
    const path = programs.path(command.path)
    return spawnProcess({
      path,
      name: command.path,
      args: [...command.args, ...args],
      env: [`PATH=${runtimePath}`],
      fds,
    })
  } catch (error) {
    throw new RuntimeRefusal(`cannot run ${command.path}`, { cause: error })
  }
}

async function finished(reaper: Reaper, runtime: number, logFile: string): Promise<void> {
  const { code } = await reaper.exit(runtime)
  if (code === 0) return
  throw new RuntimeRefusal(readRuntimeError(logFile) ?? `the runtime ended with status ${code}`)
}

function readPid(pidFile: string): number {
  const pid = Number(readFileSync(pidFile, 'latin1'))
  if (!Number.isSafeInteger(pid) || pid < 2) throw new Error(`no pid in ${pidFile}`)
  rmSync(pidFile, { force: true })
  return pid
}

/** The process runs, but its terminal did not come. */
function abandon(pid: number, error: unknown): never {
  killPid(pid, 9)
  throw error
}
