import { readFileSync, statfsSync } from 'node:fs'
import { release } from 'node:os'
import { declareFunctions } from '../libc.ts'

const c = declareFunctions<{ umask(mask: number): number }>({ umask: 'uint umask(uint mask)' })

// include/uapi/linux/magic.h
const TMPFS_MAGIC = 0x01021994
const OVERLAYFS_SUPER_MAGIC = 0x794c7630

export const isTmpfs = (path: string): boolean => statfsSync(path).type === TMPFS_MAGIC
export const isOverlay = (path: string): boolean => statfsSync(path).type === OVERLAYFS_SUPER_MAGIC

/** Sets the file mode creation mask of the whole process, also from a Worker; returns the former one. */
export const umask = (mask: number): number => c.umask(mask)

/** The highest capability number that this kernel knows. */
export const lastCapability = (): number => Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8'))

/** Major and minor of the running kernel. */
export function kernelVersion(): { readonly major: number; readonly minor: number } {
  const [major = 0, minor = 0] = release().split('.', 2).map(Number)
  return { major, minor }
}
