import { getSystemErrorMessage, getSystemErrorName } from 'node:util'

/** A system call that failed. Internal to the engine: what a user may hear is an `EngineError` made from it. */
export class LinuxError extends Error {
  readonly syscall: string
  /** Positive, as errno(3) has it. */
  readonly errno: number
  /** `ENOENT`, ... */
  readonly code: string
  readonly path?: string

  constructor(syscall: string, errno: number, options: { path?: string; detail?: string } = {}) {
    const subject = options.path === undefined ? syscall : `${syscall} ${options.path}`
    const reason = options.detail ? `${describe(errno)} (${options.detail})` : describe(errno)
    super(`${subject}: ${reason}`)
    this.name = 'LinuxError'
    this.syscall = syscall
    this.errno = errno
    this.code = nameOf(errno)
    if (options.path !== undefined) this.path = options.path
  }
}

// Node's table is total for what the kernel returns; -0 and unknown numbers come back as text, never as a throw.
const nameOf = (errno: number): string => (errno > 0 ? getSystemErrorName(-errno) : 'EUNKNOWN')
const describe = (errno: number): string => (errno > 0 ? getSystemErrorMessage(-errno) : `errno ${errno}`)
