import { closeSync, openSync } from 'node:fs'
import { LinuxError } from '../error.ts'
import { procFd } from '../file/at.ts'
import { O_PATH } from '../file/constants.ts'
import { check, type CString, declareFunctions, ENOTDIR, lastError } from '../libc.ts'
import { mount } from './mount.ts'

const c = declareFunctions<{
  fsopen(number: number, type: CString, flags: number): number
  fsconfig(number: number, fd: number, command: number, key: CString, value: CString, aux: number): number
  fsmount(number: number, fd: number, flags: number, attributes: number): number
  moveMount(number: number, fd: number, from: CString, toFd: number, to: CString, flags: number): number
  read(fd: number, buffer: Uint8Array, size: number): number
}>({
  fsopen: 'long syscall(long number, str type, uint flags)',
  fsconfig: 'long syscall(long number, int fd, uint command, str key, str value, int aux)',
  fsmount: 'long syscall(long number, int fd, uint flags, uint attributes)',
  moveMount: 'long syscall(long number, int fd, str from, int toFd, str to, uint flags)',
  read: 'long read(int fd, void *buffer, size_t size)',
})

// The same numbers on every architecture: include/uapi/asm-generic/unistd.h
const SYS_move_mount = 429
const SYS_fsopen = 430
const SYS_fsconfig = 431
const SYS_fsmount = 432
const FSOPEN_CLOEXEC = 1
const FSMOUNT_CLOEXEC = 1
const FSCONFIG_SET_FLAG = 0
const FSCONFIG_SET_STRING = 1
const FSCONFIG_CMD_CREATE = 6
const MOVE_MOUNT_F_EMPTY_PATH = 4
const AT_FDCWD = -100

export interface OverlayOptions {
  /** Lower directories, the topmost first. */
  readonly lower: readonly string[]
  /** Without upper and work the mount is read-only. */
  readonly upper?: string
  readonly work?: string
  readonly target: string
  /** No sync of the upper at umount: its contents are lost with the machine (Documentation/filesystems/overlayfs.rst). */
  readonly volatile?: boolean
  /** Further options by name, such as `index: 'off'`; an empty value is a flag. */
  readonly options?: Readonly<Record<string, string>>
}

let knowsLowerdirPlus: boolean | undefined

/**
 * Mounts an overlay. Layers are given one by one (`lowerdir+`, Linux 6.5) so that their number is not bound by the page
 * that mount(2)'s options must fit in; older kernels get the options string.
 */
export function mountOverlay(options: OverlayOptions): void {
  knowsLowerdirPlus ??= probeLowerdirPlus()
  if (knowsLowerdirPlus) mountByConfig(options)
  else mountByText(options)
}

/** A kernel that knows the option looks for the layer at once; others refuse the option, or keep it until the mount is made. */
function probeLowerdirPlus(): boolean {
  const fd = openContext()
  try {
    const layer = '/dev/null/no-layer'
    const result = c.fsconfig(SYS_fsconfig, fd, FSCONFIG_SET_STRING, 'lowerdir+', layer, 0)
    return result < 0 && lastError('fsconfig').errno === ENOTDIR
  } finally {
    closeSync(fd)
  }
}

const optionsPageBytes = 4096

/** What `mountOverlay()` does by mount(2): with the layers' paths where those fit, else with descriptors, which are shorter. */
export function mountByText(options: OverlayOptions): void {
  const data = overlayData(options)
  if (Buffer.byteLength(data) >= optionsPageBytes) return mountByDescriptors(options)
  try {
    mount({ source: 'overlay', target: options.target, type: 'overlay', data })
  } catch (error) {
    // The kernel does not say which layer is missing.
    for (const path of options.lower) closeSync(openSync(path, O_PATH))
    throw error
  }
}

function mountByDescriptors(options: OverlayOptions): void {
  const layers: number[] = []
  try {
    for (const path of options.lower) layers.push(openSync(path, O_PATH))
    const data = overlayData({ ...options, lower: layers.map(procFd) })
    mount({ source: 'overlay', target: options.target, type: 'overlay', data })
  } finally {
    for (const fd of layers) closeSync(fd)
  }
}

/** The options of an overlay as mount(2) takes them, colons and commas in paths escaped. */
export function overlayData({ lower, upper, work, volatile, options = {} }: OverlayOptions): string {
  const parts = [`lowerdir=${lower.map(escape).join(':')}`]
  if (upper !== undefined) parts.push(`upperdir=${escape(upper)}`)
  if (work !== undefined) parts.push(`workdir=${escape(work)}`)
  if (volatile) parts.push('volatile')
  for (const [key, value] of Object.entries(options)) parts.push(value ? `${key}=${value}` : key)
  return parts.join(',')
}

const openContext = (): number => check(c.fsopen(SYS_fsopen, 'overlay', FSOPEN_CLOEXEC), 'fsopen', 'overlay')

function mountByConfig(options: OverlayOptions): void {
  const fd = openContext()
  try {
    configure(fd, options)
    const mounted = c.fsmount(SYS_fsmount, fd, FSMOUNT_CLOEXEC, 0)
    if (mounted < 0) throw failure(fd, 'fsmount', options.target)
    try {
      check(
        c.moveMount(SYS_move_mount, mounted, '', AT_FDCWD, options.target, MOVE_MOUNT_F_EMPTY_PATH),
        'move_mount',
        options.target,
      )
    } finally {
      closeSync(mounted)
    }
  } finally {
    closeSync(fd)
  }
}

function configure(fd: number, { lower, upper, work, volatile, options = {}, target }: OverlayOptions): void {
  const set = (key: string, value: string) => {
    if (c.fsconfig(SYS_fsconfig, fd, FSCONFIG_SET_STRING, key, value, 0) < 0)
      throw failure(fd, `fsconfig ${key}`, value)
  }
  // What `df` and /proc/mounts show in the place of a device.
  set('source', 'overlay')
  const flag = (key: string) => {
    if (c.fsconfig(SYS_fsconfig, fd, FSCONFIG_SET_FLAG, key, null, 0) < 0) throw failure(fd, 'fsconfig', key)
  }
  for (const layer of lower) set('lowerdir+', layer)
  if (upper !== undefined) set('upperdir', upper)
  if (work !== undefined) set('workdir', work)
  if (volatile) flag('volatile')
  for (const [key, value] of Object.entries(options)) {
    if (value) set(key, value)
    else flag(key)
  }
  if (c.fsconfig(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, null, null, 0) < 0) throw failure(fd, 'fsconfig create', target)
}

/** The error of a call on an fs context, with what the file system itself said: read(2) of the context. */
function failure(fd: number, syscall: string, path: string): LinuxError {
  const { errno } = lastError(syscall)
  const texts: string[] = []
  const buffer = Buffer.alloc(1024)
  for (
    let length = c.read(fd, buffer, buffer.length);
    length > 0 && texts.length < 8;
    length = c.read(fd, buffer, buffer.length)
  ) {
    texts.push(buffer.toString('utf8', 0, length).trim())
  }
  return new LinuxError(syscall, errno, { path, detail: texts.join('; ') })
}

const escape = (path: string): string => path.replace(/[\\:,]/g, (character) => `\\${character}`)
