import { callAsync, check, type CString, declareFunctions, pathArgument } from '../libc.ts'

const c = declareFunctions<{
  mount(source: CString, target: CString, type: CString, flags: number, data: CString): number
  umount2(target: CString, flags: number): number
}>({
  mount: 'int mount(str source, str target, str type, ulong flags, str data)',
  umount2: 'int umount2(str target, int flags)',
})

// include/uapi/linux/mount.h
export const MS_RDONLY = 1
export const MS_NOSUID = 2
export const MS_NODEV = 4
export const MS_NOEXEC = 8
export const MS_SYNCHRONOUS = 16
export const MS_REMOUNT = 32
export const MS_MANDLOCK = 64
export const MS_DIRSYNC = 128
export const MS_NOSYMFOLLOW = 256
export const MS_NOATIME = 1024
export const MS_NODIRATIME = 2048
export const MS_BIND = 4096
export const MS_MOVE = 8192
export const MS_REC = 16384
export const MS_UNBINDABLE = 1 << 17
export const MS_PRIVATE = 1 << 18
export const MS_SLAVE = 1 << 19
export const MS_SHARED = 1 << 20
export const MS_RELATIME = 1 << 21
export const MS_STRICTATIME = 1 << 24
const MNT_DETACH = 2
const UMOUNT_NOFOLLOW = 8

export interface MountOptions {
  readonly source?: string
  readonly target: string
  readonly type?: string
  /** MS_* flags. */
  readonly flags?: number
  /** The file system's own options, comma separated; less than one page. */
  readonly data?: string
}

/** mount(2). */
export function mount({ source, target, type, flags = 0, data }: MountOptions): void {
  const at = pathArgument(target, 'mount')
  check(c.mount(source ?? null, at, type ?? null, flags, data ?? null), 'mount', target)
}

/** mount(2) on a libuv pool thread: a file system of the network may let it wait. */
export function mountAsync({ source, target, type, flags = 0, data }: MountOptions): Promise<void> {
  const at = pathArgument(target, 'mount')
  return callAsync(c.mount, 'mount', target, [source ?? null, at, type ?? null, flags, data ?? null])
}

/** Binds `source` over `target`, read-only when asked; `recursive` takes the mounts below along. */
export function bindMount(
  source: string,
  target: string,
  options: { readonly readOnly?: boolean; readonly recursive?: boolean } = {},
): void {
  const recursive = options.recursive ? MS_REC : 0
  mount({ source, target, flags: MS_BIND | recursive })
  // A bind takes no other flag in the call that makes it.
  if (options.readOnly) mount({ target, flags: MS_BIND | MS_REMOUNT | MS_RDONLY })
}

/** umount2(2), never through a symlink. `detach` hides the mount at once and lets its users finish (lazy). */
export function unmount(target: string, options: { readonly detach?: boolean } = {}): void {
  const flags = UMOUNT_NOFOLLOW | (options.detach ? MNT_DETACH : 0)
  check(c.umount2(pathArgument(target, 'umount2'), flags), 'umount2', target)
}

/** Unmounts on a libuv pool thread: an overlay's umount may wait for its dirty data. */
export function unmountAsync(target: string, options: { readonly detach?: boolean } = {}): Promise<void> {
  const flags = UMOUNT_NOFOLLOW | (options.detach ? MNT_DETACH : 0)
  return callAsync(c.umount2, 'umount2', target, [pathArgument(target, 'umount2'), flags])
}

export type Propagation = 'private' | 'slave' | 'shared' | 'unbindable'

const propagationFlag: Record<Propagation, number> = {
  private: MS_PRIVATE,
  slave: MS_SLAVE,
  shared: MS_SHARED,
  unbindable: MS_UNBINDABLE,
}

/** Sets how mount events travel to and from the mount at `target` (mount_namespaces(7)). */
export function setPropagation(target: string, propagation: Propagation, recursive = false): void {
  mount({ target, flags: propagationFlag[propagation] | (recursive ? MS_REC : 0) })
}
