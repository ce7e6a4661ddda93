import { readFileSync, statfsSync } from 'node:fs'
import { release } from 'node:os'
import { check, type CString, declareFunctions, pathArgument } from '../libc.ts'

const c = declareFunctions<{
  umask(mask: number): number
  statvfs(path: CString, result: BigUint64Array): number
}>({ umask: 'uint umask(uint mask)', statvfs: 'int statvfs(str path, void *result)' })

// include/uapi/linux/magic.h
const TMPFS_MAGIC = 0x01021994
const OVERLAYFS_SUPER_MAGIC = 0x794c7630

export const isTmpfs = (path: string): boolean => statfsSync(path).type === TMPFS_MAGIC
export const isOverlay = (path: string): boolean => statfsSync(path).type === OVERLAYFS_SUPER_MAGIC

// glibc's <bits/statvfs.h>: f_flag is the tenth word of struct statvfs where words have 64 bits.
const flagWord = 9
const mountFlagBits = { ro: 1n, nosuid: 2n, nodev: 4n, noexec: 8n } as const

/** What may not be done in the mount that `path` is in, in the words of mount(8). */
export function mountRestrictions(path: string): (keyof typeof mountFlagBits)[] {
  const result = new BigUint64Array(32)
  check(c.statvfs(pathArgument(path, 'statvfs'), result), 'statvfs', path)
  const flags = result[flagWord] ?? 0n
  const names = Object.keys(mountFlagBits) as (keyof typeof mountFlagBits)[]
  return names.filter((name) => (flags & mountFlagBits[name]) !== 0n)
}

/** Sets the file mode creation mask of the whole process, also from a Worker; returns the former one. */
export const umask = (mask: number): number => c.umask(mask)

/** The highest capability number that this kernel knows. */
export const lastCapability = (): number => Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8'))

/** Major and minor of the running kernel. */
export function kernelVersion(): { readonly major: number; readonly minor: number } {
  const [major = 0, minor = 0] = release().split('.', 2).map(Number)
  return { major, minor }
}
