import { helloProgram, type Sandbox } from '@berth/testing'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Machines by Docker's names: this host's, and one that it is not. */
export const ownMachine = process.arch === 'arm64' ? 'arm64' : 'amd64'
export const foreignMachine = ownMachine === 'arm64' ? 'amd64' : 'arm64'

/** The bytes of a program that says which machine it is for. */
export const programOf = (machine: typeof ownMachine): Buffer => helloProgram(machine, `of ${machine}\n`)

export interface InterpreterOptions {
  readonly machine: typeof ownMachine
  /** A program of this host. */
  readonly interpreter: Buffer
}

/** Has the kernel run programs of a machine by an interpreter, opened now (flag F), until this is disposed of. */
export function registerInterpreter(
  sandbox: Pick<Sandbox, 'enter'>,
  { machine, interpreter }: InterpreterOptions,
): Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'berth-binfmt-'))
  const program = join(folder, 'interpreter')
  writeFileSync(program, interpreter, { mode: 0o755 })
  const name = `berth-test-${process.pid}`
  const run = (script: string) => {
    const { file, args, env } = sandbox.enter(['sh', '-c', script])
    execFileSync(file, args, { env })
  }
  // ELF's identification and machine: https://docs.kernel.org/admin-guide/binfmt-misc.html
  const magic = [...programOf(machine).subarray(0, 20)].map(escaped).join('')
  const registration = `:${name}:M::${magic}::${program}:F`
  const register = `mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc && printf %s '${registration}' > /proc/sys/fs/binfmt_misc/register`
  run(register)
  return {
    [Symbol.dispose]: () => {
      run(`echo -1 > /proc/sys/fs/binfmt_misc/${name}; umount /proc/sys/fs/binfmt_misc`)
      rmSync(folder, { recursive: true })
    },
  }
}

const escaped = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`
