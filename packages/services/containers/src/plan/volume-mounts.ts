import type { MountSpec } from '@berth/engine-api'
import type { VolumeRequest } from '@berth/volumes'
import { posix } from 'node:path'
import { type Bind, requireName } from './binds.ts'
import type { Fail } from './mount-points.ts'
import type { PlannedMount } from './types.ts'

/** `-v name:/path`. */
export function bindVolume(bind: Bind, driver: string): PlannedMount {
  const { source, destination, mode, isReadOnly, isFilled } = bind
  const request = { name: source, driver, labels: null, options: null }
  // Docker's: a volume's label is shared where nothing else was said.
  return planned({ request, destination, mode: mode || 'z', isReadOnly, isFilled })
}

/** `--mount type=volume`. */
export function volumeMount(mount: MountSpec, destination: string, fail: Fail): PlannedMount {
  const { Source = '', ReadOnly = false, VolumeOptions = {} } = mount
  const { NoCopy = false, Labels, DriverConfig = {}, Subpath = '' } = VolumeOptions
  if (Source === '' && Subpath !== '') throw fail('must not set Subpath when using anonymous volumes')
  if (Subpath !== '' && !isLocal(Subpath)) throw fail('subpath must be a relative path within the volume')
  if (Source === '' && ReadOnly) throw fail('must not set ReadOnly mode when using anonymous volumes')
  if (Source !== '') requireName(Source)
  const request = {
    name: Source,
    driver: DriverConfig.Name ?? '',
    labels: Labels ?? null,
    options: DriverConfig.Options ?? null,
  }
  const isFilled = !NoCopy && Subpath === ''
  return planned({ request, destination, mode: 'z', isReadOnly: ReadOnly, isFilled, subpath: Subpath })
}

/** `--mount type=image`: always read-only. */
export function imageMount(
  { Source = '', ImageOptions = {} }: MountSpec,
  destination: string,
  fail: Fail,
): PlannedMount {
  const { Subpath: subpath = '' } = ImageOptions
  if (subpath !== '' && !isLocal(subpath)) throw fail('subpath must be a relative path within the volume')
  const propagation = 'rprivate'
  return { type: 'image', name: Source, source: '', destination, mode: '', rw: false, propagation, image: { subpath } }
}

/** A volume without a name: of the image, or `-v /path`. */
export function anonymousMount(destination: string, driver: string): PlannedMount {
  const request = { name: '', driver, labels: null, options: null }
  return planned({ request, destination, mode: '', isReadOnly: false, isFilled: true })
}

interface VolumeIntent {
  readonly request: VolumeRequest
  readonly destination: string
  readonly mode: string
  readonly isReadOnly: boolean
  readonly isFilled: boolean
  readonly subpath?: string
}

function planned({ request, destination, mode, isReadOnly, isFilled, subpath = '' }: VolumeIntent): PlannedMount {
  const volume = { isNamed: request.name !== '', isFilled, subpath }
  return { type: 'volume', source: '', destination, mode, rw: !isReadOnly, propagation: '', volume, request }
}

/** Go's filepath.IsLocal: relative, and by its names alone not above where it starts. */
export function isLocal(path: string): boolean {
  const clean = posix.normalize(path)
  return !path.startsWith('/') && clean !== '..' && !clean.startsWith('../')
}
