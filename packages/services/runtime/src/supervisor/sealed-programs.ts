import { accessSync, closeSync, constants, openSync, readSync, type Stats, statSync } from 'node:fs'
import { sealedCopy } from '@berth/linux'

/** runc has three times as much, and would not start the faster for it. */
const maxBytes = 4 << 20

interface Copy {
  readonly identity: string
  /** Undefined: the program is run from where it is. */
  readonly fd: number | undefined
}

/**
 * Programs as sealed copies in memory. crun, at each of its starts, makes itself safe from being overwritten through
 * /proc/PID/exe by the container (CVE-2019-5736): it mounts a copy of itself and starts once more, unless it is a
 * sealed copy already.
 */
export class SealedPrograms {
  readonly #copies = new Map<string, Copy>()

  /** What to execute for `program`: its copy, made anew when the file has changed; or itself, when it cannot be copied. */
  path(program: string): string {
    const stats = statSync(program, { throwIfNoEntry: false })
    if (!stats) return program
    const { fd } = this.#current(program, stats)
    return fd === undefined ? program : pathOf(fd)
  }

  #current(program: string, stats: Stats): Copy {
    const identity = [stats.dev, stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs].join()
    const known = this.#copies.get(program)
    if (known?.identity === identity) return known
    if (known?.fd !== undefined) closeSync(known.fd)
    const copy = { identity, fd: stats.size <= maxBytes ? tryCopy(program) : undefined }
    this.#copies.set(program, copy)
    return copy
  }
}

/** Of this process: its child may have become another program, without this descriptor, before it executes this one. */
const pathOf = (fd: number): string => `/proc/${process.pid}/fd/${fd}`

function tryCopy(program: string): number | undefined {
  let fd: number | undefined
  try {
    if (!isElf(program)) return undefined
    fd = sealedCopy(program)
    accessSync(pathOf(fd), constants.X_OK)
    return fd
  } catch {
    // vm.memfd_noexec, or no memory: the program itself does the same, slower.
    if (fd !== undefined) closeSync(fd)
    return undefined
  }
}

/** A script's interpreter would look for a descriptor that exec has closed. */
function isElf(program: string): boolean {
  const fd = openSync(program, 'r')
  try {
    const magic = Buffer.alloc(4)
    return readSync(fd, magic) === 4 && magic.toString('latin1') === '\x7fELF'
  } finally {
    closeSync(fd)
  }
}
