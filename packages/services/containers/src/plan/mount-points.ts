import { invalid } from '@berth/base'
import type { HostConfig, MountSpec } from '@berth/engine-api'
import { mergeTmpfsOptions, type Propagation } from '@berth/runtime'
import type { MountPoint } from '../container.ts'
import { type Bind, parseBind } from './binds.ts'
import { cleanDestination, cleanPath } from './clean-path.ts'
import { splitVolumesFrom } from './references.ts'
import { tmpfsMountOptions } from './tmpfs-mounts.ts'
import type { PlanContext, PlannedMount } from './types.ts'
import { idMapsOf } from './id-map.ts'
import { anonymousMount, bindVolume, imageMount, volumeMount } from './volume-mounts.ts'

const propagations: readonly string[] = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']

interface MountContext extends Pick<PlanContext, 'mountsOf'> {
  readonly dataRoot: string
}

/**
 * `Mounts` of inspect: what `--volumes-from` brings, overruled by binds and mounts, then the anonymous volumes for which
 * nothing else is there. Throws `invalid` in Docker's words.
 */
export function planMountPoints(
  hostConfig: HostConfig,
  volumes: Readonly<Record<string, unknown>> | null,
  { dataRoot, mountsOf }: MountContext,
): PlannedMount[] {
  const inherited = (hostConfig.VolumesFrom ?? []).flatMap((source) => mountsFrom(source, mountsOf))
  const own = [
    ...(hostConfig.Binds ?? []).map((bind) => bindMount(parseBind(bind), hostConfig.VolumeDriver, dataRoot)),
    ...(hostConfig.Mounts ?? []).map((mount) => mountPoint(mount, dataRoot)),
  ]
  const tmpfs = tmpfsDestinations(hostConfig)
  requireDistinct([...own.map(({ destination }) => destination), ...tmpfs])
  const points = new Map<string, PlannedMount>()
  for (const point of [...inherited, ...own]) points.set(point.destination, point)
  for (const path of Object.keys(volumes ?? {})) {
    // An image may leave the slash out.
    const point = anonymousMount(cleanDestination(cleanPath(`/${path}`)), hostConfig.VolumeDriver)
    if (!points.has(point.destination) && !tmpfs.includes(point.destination)) points.set(point.destination, point)
  }
  for (const { source, destination } of points.values()) requireOutsideProc(source, destination)
  return withIdMaps([...points.values()], hostConfig.Annotations ?? {})
}

function withIdMaps(points: readonly PlannedMount[], annotations: Readonly<Record<string, string>>): PlannedMount[] {
  const maps = idMapsOf(annotations)
  for (const destination of maps.keys()) {
    const bind = points.find((point) => point.type === 'bind' && point.destination === destination)
    if (!bind) throw invalid(`an id map is given for ${destination}, where nothing is bound`)
    if (bind.propagation !== 'rprivate') {
      throw invalid(`an id map is given for ${destination}: such a bind must be rprivate, it is ${bind.propagation}`)
    }
  }
  return points.map((point) => {
    const idMaps = maps.get(point.destination)
    return idMaps ? { ...point, idMaps } : point
  })
}

function requireDistinct(destinations: readonly string[]): void {
  const taken = new Set<string>()
  for (const destination of destinations) {
    if (taken.has(destination)) throw invalid(`Duplicate mount point: ${destination}`)
    taken.add(destination)
  }
}

/** Binds and volumes of another container. What only that one could see stays with it. */
function mountsFrom(source: string, mountsOf: PlanContext['mountsOf']): PlannedMount[] {
  const { ref, isReadOnly } = splitVolumesFrom(source)
  const shared = mountsOf(ref).filter(({ type }) => type === 'bind' || type === 'volume')
  return shared.map((mount) => ({
    ...mount,
    mode: '',
    rw: mount.rw && !isReadOnly,
    ...(mount.type === 'bind' ? { makesSource: true } : {}),
    ...inheritedVolume(mount),
  }))
}

function inheritedVolume({ name = '', driver = '', volume }: MountPoint): Partial<PlannedMount> {
  if (!volume) return {}
  return { request: { name, driver, labels: null, options: null }, volume: { ...volume, isFilled: false } }
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

function bindMount(bind: Bind, volumeDriver: string, dataRoot: string): PlannedMount {
  return bind.type === 'bind' ? { ...bindPoint(bind, dataRoot), makesSource: true } : bindVolume(bind, volumeDriver)
}

type BindRequest = Pick<Bind, 'source' | 'destination' | 'mode' | 'isReadOnly' | 'propagation'>

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
  if (!isRelatedTo(dataRoot, source)) return (propagation || 'rprivate') as Propagation
  if (propagation !== '' && propagation !== 'rslave' && propagation !== 'rshared') {
    throw invalid(
      `invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, daemon root: "${dataRoot}", bind mount source: "${source}", propagation: "${propagation}"`,
    )
  }
  return (propagation || 'rslave') as Propagation
}

/** Whether a bind's source holds the engine's data, or is a part of them. */
export const isRelatedTo = (dataRoot: string, source: string): boolean =>
  isInside(source, dataRoot) || isInside(dataRoot, source)

export const isInside = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`)

function mountPoint(mount: MountSpec, dataRoot: string): PlannedMount {
  const fail = (reason: string) => invalid(`invalid mount config for type "${mount.Type}": ${reason}`)
  requireKnownType(mount, fail)
  requireOwnOptions(mount, fail)
  if (!mount.Target) throw fail('field Target must not be empty')
  const destination = naming(fail, () => cleanDestination(mount.Target))
  if (mount.Type === 'tmpfs') return tmpfsPoint(mount, destination, fail)
  if (mount.Type === 'volume') return volumeMount(mount, destination, fail)
  if (!mount.Source) throw fail('field Source must not be empty')
  if (mount.Type === 'image') return imageMount(mount, destination, fail)
  if (!mount.Source.startsWith('/')) {
    throw fail(`invalid mount path: '${mount.Source}' mount path must be absolute`)
  }
  const propagation = mount.BindOptions?.Propagation ?? ''
  if (propagation !== '' && !propagations.includes(propagation)) {
    throw fail(`invalid propagation mode: ${propagation}`)
  }
  requireConsistentReadOnly(mount)
  const source = cleanPath(mount.Source)
  const bind = { source, destination, mode: '', isReadOnly: mount.ReadOnly ?? false, propagation }
  return { ...bindPoint(bind, dataRoot), ...recursion(mount) }
}

function recursion({ BindOptions = {} }: MountSpec): Partial<MountPoint> {
  const { NonRecursive, ReadOnlyForceRecursive, ReadOnlyNonRecursive, CreateMountpoint } = BindOptions
  const below = ReadOnlyForceRecursive ? 'force' : ReadOnlyNonRecursive ? 'none' : undefined
  return {
    ...(NonRecursive ? { recursive: false } : {}),
    ...(below ? { readOnlyRecursion: below } : {}),
    ...(CreateMountpoint ? { makesSource: true } : {}),
  }
}

function requireKnownType({ Type }: MountSpec, fail: Fail): void {
  if (!Object.hasOwn(ownOptions, Type)) throw fail('mount type unknown')
}

const ownOptions = {
  bind: 'BindOptions',
  tmpfs: 'TmpfsOptions',
  volume: 'VolumeOptions',
  image: 'ImageOptions',
} as const

function requireOwnOptions(mount: MountSpec, fail: Fail): void {
  const own = ownOptions[mount.Type as keyof typeof ownOptions]
  for (const name of ['BindOptions', 'VolumeOptions', 'TmpfsOptions', 'ImageOptions'] as const) {
    if (name === own || !mount[name]) continue
    if (name === 'ImageOptions') throw fail('field ImageOptions must not be specified')
    throw invalid(`${name} must not be specified on mount type "${mount.Type}"`)
  }
}

function tmpfsPoint(mount: MountSpec, destination: string, fail: Fail): MountPoint {
  if (mount.Source) throw fail('field Source must not be specified')
  const tmpfsOptions = naming(fail, () => tmpfsMountOptions(mount))
  return { type: 'tmpfs', source: '', destination, mode: '', rw: !mount.ReadOnly, propagation: '', tmpfsOptions }
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

/** An error about one mount, by what is wrong with it. */
export type Fail = (reason: string) => Error

function naming<T>(fail: Fail, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw fail((error as Error).message)
  }
}
