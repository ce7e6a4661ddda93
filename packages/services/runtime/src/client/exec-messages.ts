import type { Cgroups } from '@berth/linux'
import type { RuntimeProcess } from '@berth/oci'
import { type ExecMessage, maxProcessBytes, type PrepareMessage, type RuntimeCommand } from '../protocol/messages.ts'
import type { ExecPreparation, ExecTarget } from '../runtime.ts'
import type { Bundles } from './bundles.ts'
import { isPlainCrun, runtimeCommand, type Runtimes } from './runtimes.ts'

/** Puts together what the supervisor is told of execs. Throws `conflict` where the container is not running. */
export class ExecMessages {
  readonly #bundles: Bundles
  readonly #runtimes: () => Runtimes
  readonly #cgroups: Cgroups

  constructor(bundles: Bundles, runtimes: () => Runtimes, cgroups: Cgroups) {
    this.#bundles = bundles
    this.#runtimes = runtimes
    this.#cgroups = cgroups
  }

  prepare(request: ExecPreparation): PrepareMessage {
    const { containerId, execId, oomScoreAdj, io } = request
    const place = { bundle: this.#bundles.path(containerId), ociRoot: this.#bundles.ociRoot }
    const [command, cgroupsPath] = [this.#commandOf(request), this.enteredCgroup(request)]
    return { containerId, execId, command, ...place, oomScoreAdj, cgroupsPath, io }
  }

  /** The process goes in the message where that is possible, else in a file. */
  exec(request: ExecPreparation, process: RuntimeProcess): ExecMessage {
    const message = this.prepare(request)
    const text = JSON.stringify(process)
    if (isPlainCrun(message.command) && Buffer.byteLength(text) <= maxProcessBytes) return { ...message, process: text }
    this.#bundles.writeProcess(message.containerId, message.execId, text)
    return message
  }

  /** The cgroup that the runtime of an exec enters by itself; undefined: it moves its process there. */
  enteredCgroup(request: ExecTarget): string | undefined {
    if (!request.isUnlimited || this.#cgroups.version === 2 || !isPlainCrun(this.#commandOf(request))) return undefined
    return this.#bundles.cgroupsPath(request.containerId)
  }

  #commandOf({ containerId, runtimeName }: ExecTarget): RuntimeCommand {
    return runtimeCommand(this.#runtimes(), runtimeName || this.#bundles.runtimeName(containerId))
  }
}
