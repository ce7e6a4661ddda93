import { join } from 'node:path'
import type { RuntimeFiles } from '../crun/arguments.ts'
import type { RuntimeCommand } from '../protocol/messages.ts'
import type { ProcessIo } from '../runtime.ts'
import type { Launch } from './launch.ts'
import { SealedPrograms } from './sealed-programs.ts'

/** Puts together what a call of an OCI runtime needs. */
export class RuntimeLaunches {
  readonly #runRoot: string
  readonly #programs = new SealedPrograms()
  #consoles = 0

  constructor(runRoot: string) {
    this.#runRoot = runRoot
  }

  /** Where one call's files are; each terminal has a console socket of its own. */
  files(bundle: string, name: string, io: ProcessIo): RuntimeFiles {
    const pidFile = join(bundle, `${name}.pid`)
    const logFile = join(bundle, `${name}.log`)
    if (!io.tty) return { pidFile, logFile }
    // A short path: a unix socket's has at most 107 bytes.
    return { pidFile, logFile, consolePath: join(this.#runRoot, `console.${++this.#consoles}`) }
  }

  options(command: RuntimeCommand, args: readonly string[], files: RuntimeFiles, io: ProcessIo): Launch {
    return { programs: this.#programs, command, args, files, io }
  }
}
