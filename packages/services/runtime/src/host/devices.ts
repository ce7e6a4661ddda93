import { constants, type Dirent } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, invalid } from '@berth/base'
import type { SpecDevice } from '../spec/input.ts'

export interface DeviceRequestPath {
  readonly PathOnHost: string
  readonly PathInContainer: string
  readonly CgroupPermissions: string
}

/** A block device's number, for I/O limits. */
export interface DeviceNumber {
  readonly major: number
  readonly minor: number
}

/** The device nodes that the mappings of one container name; a directory stands for every device in it. */
export async function readDevices(mappings: readonly DeviceRequestPath[]): Promise<SpecDevice[]> {
  return (await Promise.all(mappings.map(readMapping))).flat()
}

/** Every device node under /dev, as a privileged container gets them: without ptys, shared memory and message queues. */
export async function readHostDevices(directory = '/dev'): Promise<SpecDevice[]> {
  const devices = await walk(directory, directory)
  return devices.filter(({ path }) => path !== '/dev/console')
}

/** Numbers of block devices by path. Throws `invalid` when one is not there. */
export async function readDeviceNumbers(paths: readonly string[]): Promise<Readonly<Record<string, DeviceNumber>>> {
  const entries = [...new Set(paths)].map(async (path) => {
    const status = await stat(path).catch((error: unknown) => {
      throw invalid(`stat ${path}: ${reasonOf(error)}`, error)
    })
    return [path, { major: majorOf(status.rdev), minor: minorOf(status.rdev) }] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

async function readMapping(mapping: DeviceRequestPath): Promise<SpecDevice[]> {
  const { PathOnHost: source, CgroupPermissions: permissions } = mapping
  const destination = mapping.PathInContainer || source
  const fail = (reason: string, cause?: unknown) =>
    invalid(`error gathering device information while adding custom device ${JSON.stringify(source)}: ${reason}`, cause)
  const status = await stat(source).catch((error: unknown) => {
    throw fail(reasonOf(error), error)
  })
  if (status.isDirectory()) {
    const devices = await walk(source, destination)
    return devices.map((device) => ({ ...device, cgroupPermissions: permissions }))
  }
  const device = deviceOf(status, destination)
  if (device === undefined) throw fail('not a device node')
  return [{ ...device, cgroupPermissions: permissions }]
}

// containerd's list: pseudo file systems, and what the container makes for itself.
const skippedDirectories = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev'])

async function walk(directory: string, destination: string): Promise<SpecDevice[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  return (await Promise.all(entries.map((entry) => walkEntry(entry, directory, destination)))).flat()
}

async function walkEntry(entry: Dirent, directory: string, destination: string): Promise<SpecDevice[]> {
  const source = join(directory, entry.name)
  const target = join(destination, entry.name)
  if (entry.isDirectory()) return skippedDirectories.has(entry.name) ? [] : walk(source, target)
  if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return []
  try {
    const device = deviceOf(await lstat(source), target)
    return device === undefined ? [] : [device]
  } catch (error) {
    // Unplugged meanwhile.
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

function deviceOf(
  status: { mode: number; rdev: number; uid: number; gid: number },
  path: string,
): SpecDevice | undefined {
  const format = status.mode & constants.S_IFMT
  if (format !== constants.S_IFCHR && format !== constants.S_IFBLK) return undefined
  return {
    type: format === constants.S_IFBLK ? 'b' : 'c',
    path,
    major: majorOf(status.rdev),
    minor: minorOf(status.rdev),
    fileMode: status.mode & 0o7777,
    uid: status.uid,
    gid: status.gid,
    cgroupPermissions: 'rwm',
  }
}

// makedev(3). Numbers of devices in use are below 2^32: no bit is lost.
const majorOf = (rdev: number): number => (rdev >>> 8) & 0xfff
const minorOf = (rdev: number): number => (rdev & 0xff) | ((rdev >>> 12) & 0xfff00)

function reasonOf(error: unknown): string {
  const reasons: Record<string, string> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    ENOTDIR: 'not a directory',
  }
  const code = codeOf(error) ?? 'unknown error'
  return reasons[code] ?? code
}
