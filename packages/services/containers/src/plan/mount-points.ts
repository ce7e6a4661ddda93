import { invalid, notImplemented } from '@berth/base'
import type { HostConfig, MountSpec } from '@berth/engine-api'
import { mergeTmpfsOptions, type Propagation } from '@berth/runtime'
import type { MountPoint } from '../container.ts'
import { parseBind } from './binds.ts'
import { cleanDestination, cleanPath } from './clean-path.ts'
import { tmpfsMountOptions } from './tmpfs-mounts.ts'

const propagations: readonly string[] = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']

/** `Mounts` of inspect: binds, then mounts. Throws `invalid` in Docker's words. */
export function planMountPoints(hostConfig: HostConfig, dataRoot: string): MountPoint[] {
  const points = [
    ...(hostConfig.Binds ?? []).map((bind) => bindPoint(parseBind(bind), dataRoot)),
    ...(hostConfig.Mounts ?? []).map((mount) => mountPoint(mount, dataRoot)),
  ]
  const taken = new Set<string>()
  const destinations = [...points.map(({ destination }) => destination), ...tmpfsDestinations(hostConfig)]
  for (const destination of destinations) {
    if (taken.has(destination)) throw invalid(`Duplicate mount point: ${destination}`)
    taken.add(destination)
  }
  for (const { source, destination } of points) requireOutsideProc(source, destination)
  return points
}

/** Destinations of `--tmpfs`, clean; the options are checked. */
export function tmpfsDestinations({ Tmpfs }: Pick<HostConfig, 'Tmpfs'>): string[] {
  return Object.entries(Tmpfs ?? {}).map(([destination, options]) => {
    mergeTmpfsOptions(options.split(',').filter(Boolean))
    const clean = cleanDestination(destination)
    requireOutsideProc('', clean)
    return clean
  })
}

interface BindRequest {
  readonly source: string
  readonly destination: string
  readonly mode: string
  readonly isReadOnly: boolean
  readonly propagation: string
}

function bindPoint(bind: BindRequest, dataRoot: string): MountPoint {
  const { source, destination, mode, isReadOnly } = bind
  const propagation = propagationOf(bind, dataRoot)
  return { type: 'bind', source, destination, mode, rw: !isReadOnly, propagation }
}

/**
 * A bind that shows the engine's own directory takes its later unmounts along; a private copy would keep every
 * container's root file system mounted.
 */
function propagationOf({ source, propagation }: BindRequest, dataRoot: string): Propagation {
  const isRelated = isInside(source, dataRoot) || isInside(dataRoot, source)
  if (!isRelated) return (propagation || 'rprivate') as Propagation
  if (propagation !== '' && propagation !== 'rslave' && propagation !== 'rshared') {
    throw invalid(
      `invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, daemon root: "${dataRoot}", bind mount source: "${source}", propagation: "${propagation}"`,
    )
  }
  return (propagation || 'rslave') as Propagation
}

const isInside = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`)

function mountPoint(mount: MountSpec, dataRoot: string): MountPoint {
  const fail = (reason: string) => invalid(`invalid mount config for type "${mount.Type}": ${reason}`)
  requireKnownType(mount, fail)
  requireOwnOptions(mount, fail)
  if (!mount.Target) throw fail('field Target must not be empty')
  const destination = naming(fail, () => cleanDestination(mount.Target))
  if (mount.Type === 'tmpfs') return tmpfsPoint(mount, destination, fail)
  if (!mount.Source) throw fail('field Source must not be empty')
  if (!mount.Source.startsWith('/')) {
    throw fail(`invalid mount path: '${mount.Source}' mount path must be absolute`)
  }
  const propagation = mount.BindOptions?.Propagation ?? ''
  if (propagation !== '' && !propagations.includes(propagation)) {
    throw fail(`invalid propagation mode: ${propagation}`)
  }
  requireConsistentReadOnly(mount)
  const source = cleanPath(mount.Source)
  return bindPoint({ source, destination, mode: '', isReadOnly: mount.ReadOnly ?? false, propagation }, dataRoot)
}

function requireKnownType({ Type }: MountSpec, fail: Fail): void {
  if (Type === 'volume' || Type === 'image') throw notImplemented(`mounts of type "${Type}" are not supported yet`)
  if (Type !== 'bind' && Type !== 'tmpfs') throw fail('mount type unknown')
}

const ownOptions = { bind: 'BindOptions', tmpfs: 'TmpfsOptions' } as const

function requireOwnOptions(mount: MountSpec, fail: Fail): void {
  const own = ownOptions[mount.Type as 'bind' | 'tmpfs']
  for (const name of ['BindOptions', 'VolumeOptions', 'TmpfsOptions', 'ImageOptions'] as const) {
    if (name === own || !mount[name]) continue
    if (name === 'ImageOptions') throw fail('field ImageOptions must not be specified')
    throw invalid(`${name} must not be specified on mount type "${mount.Type}"`)
  }
}

function tmpfsPoint(mount: MountSpec, destination: string, fail: Fail): MountPoint {
  if (mount.Source) throw fail('field Source must not be specified')
  naming(fail, () => tmpfsMountOptions(mount))
  return { type: 'tmpfs', source: '', destination, mode: '', rw: !mount.ReadOnly, propagation: '' }
}

function requireConsistentReadOnly({ ReadOnly, BindOptions }: MountSpec): void {
  const { ReadOnlyNonRecursive: flat, ReadOnlyForceRecursive: force } = BindOptions ?? {}
  if (!ReadOnly && flat) throw clash('!ReadOnly && BindOptions.ReadOnlyNonRecursive')
  if (!ReadOnly && force) throw clash('!ReadOnly && BindOptions.ReadOnlyForceRecursive')
  if (flat && force) throw clash('ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive')
}

const clash = (what: string) => invalid(`mount options conflict: ${what}`)

// Files that LXCFS and the like replace (runc's list).
const replaceableInProc = new Set(
  'cpuinfo diskstats meminfo stat swaps uptime loadavg slabinfo net/dev sys/kernel/ns_last_pid sys/crypto/fips_enabled'
    .split(' ')
    .map((name) => `/proc/${name}`),
)

/** What lies over /proc could fake what the runtime itself reads there. The host's own /proc may be shown. */
export function requireOutsideProc(source: string, destination: string): void {
  if (!isInside(destination, '/proc') || replaceableInProc.has(destination)) return
  if (destination === '/proc' && source === '/proc') return
  throw invalid(`"${destination}" cannot be mounted because it is inside /proc`)
}

type Fail = (reason: string) => Error

function naming<T>(fail: Fail, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw fail((error as Error).message)
  }
}
