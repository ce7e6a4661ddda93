import { invalid } from '@berth/base'
import type { RuntimeMount } from '@berth/oci'
import type { SpecInput, SpecMount } from './input.ts'
import { hasKernel } from './seccomp.ts'
import { mergeTmpfsOptions } from './tmpfs-options.ts'

export const initDestination = '/sbin/docker-init'
/** What stays writable of the defaults under a read-only root. */
const writableUnderReadonlyRoot = new Set(['/proc', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue'])

/** Every mount of the container, parents before what lies in them. */
export function buildMounts(input: SpecInput): RuntimeMount[] {
  const own = [...input.mounts.map((mount) => userMount(mount, input)), ...hostFileMounts(input)]
  const destinations = new Set(own.map(({ destination }) => destination))
  const isOverridden = (destination: string) =>
    destinations.has(destination) || (destinations.has('/dev') && destination.startsWith('/dev/'))
  const defaults = defaultMounts(input).filter(({ destination }) => !isOverridden(destination))
  return [...defaults, ...own.toSorted(byDepth), ...initMount(input)]
}

/** The mounts of a private mount either end of which is shared need a root that passes events on. */
export function rootfsPropagation(mounts: readonly SpecMount[]): string | undefined {
  const used = mounts.map((mount) => (mount.type === 'bind' ? mount.propagation : 'rprivate'))
  if (used.some((propagation) => propagation === 'shared' || propagation === 'rshared')) return 'shared'
  if (used.some((propagation) => propagation === 'slave' || propagation === 'rslave')) return 'rslave'
  return undefined
}

function defaultMounts(input: SpecInput): RuntimeMount[] {
  const isSysWritable = input.isPrivileged
  const mounts: RuntimeMount[] = [
    special('/proc', 'proc', 'proc', ['nosuid', 'noexec', 'nodev']),
    special('/dev', 'tmpfs', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    special('/dev/pts', 'devpts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5']),
    special('/sys', 'sysfs', 'sysfs', ['nosuid', 'noexec', 'nodev', ...unlessWritable(isSysWritable)]),
    special('/sys/fs/cgroup', 'cgroup', 'cgroup', [
      ...unlessWritable(isSysWritable || input.hasWritableCgroups),
      'nosuid',
      'noexec',
      'nodev',
    ]),
    special('/dev/mqueue', 'mqueue', 'mqueue', ['nosuid', 'noexec', 'nodev']),
    ...shmMounts(input.shm),
  ]
  if (!input.isRootReadOnly || input.isPrivileged) return mounts
  return mounts.map((mount) =>
    writableUnderReadonlyRoot.has(mount.destination)
      ? mount
      : { ...mount, options: [...new Set([...(mount.options ?? []), 'ro'])] },
  )
}

const unlessWritable = (isWritable: boolean): string[] => (isWritable ? [] : ['ro'])

function shmMounts(shm: SpecInput['shm']): RuntimeMount[] {
  if (shm === undefined) return []
  if ('path' in shm) return [bind('/dev/shm', shm.path, ['rbind', 'rprivate'])]
  return [special('/dev/shm', 'tmpfs', 'shm', ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${shm.sizeBytes}`])]
}

function userMount(mount: SpecMount, input: SpecInput): RuntimeMount {
  if (mount.type === 'tmpfs') {
    const options = ['noexec', 'nosuid', 'nodev', 'rprivate', ...mount.options, ...(mount.readOnly ? ['ro'] : [])]
    return special(mount.destination, 'tmpfs', 'tmpfs', mergeTmpfsOptions(options))
  }
  return bind(mount.destination, mount.source, [
    mount.recursive ? 'rbind' : 'bind',
    ...(mount.readOnly ? [readOnlyOption(mount, input)] : []),
    ...(mount.restrictions ?? []),
    mount.recursive ? mount.propagation : flat(mount.propagation),
  ])
}

/** crun takes the mounts below along where the propagation is recursive; without them it is the same. */
const flat = (propagation: string): string => propagation.replace(/^r/, '')

/** mount_setattr(2), which makes a whole tree read-only, came with Linux 5.12. */
function readOnlyOption(mount: Extract<SpecMount, { type: 'bind' }>, input: SpecInput): 'ro' | 'rro' {
  const isPossible = hasKernel(input.facts, 5, 12)
  if (mount.readOnlyRecursion === 'force' && !isPossible) {
    throw invalid(`the kernel cannot mount ${mount.destination} recursively read-only: Linux 5.12 is needed`)
  }
  return mount.recursive && mount.readOnlyRecursion !== 'none' && isPossible ? 'rro' : 'ro'
}

/** A mount of the user's over one of these wins. */
function hostFileMounts(input: SpecInput): RuntimeMount[] {
  const { resolvConfPath, hostnamePath, hostsPath } = input.hostFiles
  const taken = new Set(input.mounts.map(({ destination }) => destination))
  return (
    [
      ['/etc/resolv.conf', resolvConfPath],
      ['/etc/hostname', hostnamePath],
      ['/etc/hosts', hostsPath],
    ] as const
  ).flatMap(([destination, source]) => {
    if (source === undefined || source === '' || taken.has(destination)) return []
    return [bind(destination, source, ['rbind', ...(input.isRootReadOnly ? ['ro'] : []), 'rprivate'])]
  })
}

function initMount({ initPath }: SpecInput): RuntimeMount[] {
  return initPath === undefined ? [] : [bind(initDestination, initPath, ['bind', 'ro'])]
}

const special = (destination: string, type: string, source: string, options: string[]): RuntimeMount => ({
  destination,
  type,
  source,
  options,
})

const bind = (destination: string, source: string, options: string[]): RuntimeMount =>
  special(destination, 'bind', source, options)

const depth = ({ destination }: RuntimeMount): number => destination.split('/').filter(Boolean).length
const byDepth = (a: RuntimeMount, b: RuntimeMount): number => depth(a) - depth(b)
