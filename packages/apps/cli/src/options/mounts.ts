import { splitCsv, parseGoBool } from '@berth/base'
import { posix, resolve } from 'node:path'
import type { MountSpec } from '@berth/engine-api'
import { parseSize } from '../flags/values.ts'
import { splitPair } from './key-values.ts'

/** What `--mount` asks for: the mount, and what the Engine API carries as an annotation. */
export interface MountFlag {
  readonly spec: MountSpec
  /** Owners of a bind's files, `CONTAINER:HOST[:LENGTH]`; '' leaves them as they are. */
  readonly idMap: string
}

/** A `--mount` value: `type=bind,source=/a,target=/b,readonly`. */
export function parseMount(text: string): MountFlag {
  const draft: Draft = { Type: 'volume', Target: '', idMap: '' }
  if (text === '') throw new Error('EOF')
  for (const field of splitCsv(text)) applyField(draft, field, text)
  const { idMap, ...spec } = draft
  if (idMap !== '' && spec.Type !== 'bind')
    throw new Error(`cannot mix 'bind-*' options with mount type '${spec.Type}'`)
  return { spec: checkMount(spec, text), idMap }
}

/** The annotations by which the engine learns of id maps. */
export function idMapAnnotations(mounts: readonly MountFlag[]): Record<string, string> {
  const mapped = mounts.filter(({ idMap }) => idMap !== '')
  return Object.fromEntries(mapped.map(({ spec, idMap }) => [`io.berth.bind-idmap.${cleanTarget(spec.Target)}`, idMap]))
}

const cleanTarget = (target: string): string => posix.normalize(target).replace(/(?<=.)\/$/, '')

type Draft = Omit<MountSpec, 'Type'> & { Type: string; idMap: string }

const switches = new Set(['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive', 'bind-create-src'])

function applyField(draft: Draft, field: string, whole: string): void {
  const [rawKey, given] = splitPair(field)
  const key = rawKey.toLowerCase()
  const bare = !field.includes('=')
  if (bare && !switches.has(key)) throw new Error(`invalid field '${field}' must be a key=value pair`)
  const value = bare ? 'true' : given
  switch (key) {
    case 'type':
      draft.Type = value.toLowerCase()
      return
    case 'source':
    case 'src':
      draft.Source = value === '.' || value.startsWith('./') || value.startsWith('../') ? resolve(value) : value
      return
    case 'target':
    case 'dst':
    case 'destination':
      draft.Target = value
      return
    case 'readonly':
    case 'ro':
      draft.ReadOnly = parseSwitch(key, value)
      return
    case 'consistency':
      draft.Consistency = value.toLowerCase()
      return
    default:
      applyTypedField(draft, { key, value, field }, whole)
  }
}

function applyTypedField(
  draft: Draft,
  { key, value, field }: { key: string; value: string; field: string },
  whole: string,
): void {
  switch (key) {
    case 'bind-propagation':
      draft.BindOptions = { ...draft.BindOptions, Propagation: value.toLowerCase() }
      return
    case 'bind-nonrecursive':
      draft.BindOptions = { ...draft.BindOptions, NonRecursive: parseSwitch(key, value) }
      return
    case 'bind-create-src':
      draft.BindOptions = { ...draft.BindOptions, CreateMountpoint: parseSwitch(key, value) }
      return
    case 'bind-idmap':
      draft.idMap = value
      return
    case 'bind-recursive':
      draft.BindOptions = { ...draft.BindOptions, ...parseRecursive(key, value) }
      return
    case 'volume-subpath':
      draft.VolumeOptions = { ...draft.VolumeOptions, Subpath: value }
      return
    case 'volume-nocopy':
      draft.VolumeOptions = { ...draft.VolumeOptions, NoCopy: parseSwitch(key, value) }
      return
    case 'volume-label':
      draft.VolumeOptions = { ...draft.VolumeOptions, Labels: { ...draft.VolumeOptions?.Labels, ...pair(value) } }
      return
    case 'volume-driver':
      draft.VolumeOptions = {
        ...draft.VolumeOptions,
        DriverConfig: { ...draft.VolumeOptions?.DriverConfig, Name: value },
      }
      return
    case 'volume-opt': {
      const config = draft.VolumeOptions?.DriverConfig
      draft.VolumeOptions = {
        ...draft.VolumeOptions,
        DriverConfig: { ...config, Options: { ...config?.Options, ...pair(value) } },
      }
      return
    }
    case 'image-subpath':
      draft.ImageOptions = { Subpath: value }
      return
    case 'tmpfs-size':
      draft.TmpfsOptions = { ...draft.TmpfsOptions, SizeBytes: parseTmpfsSize(key, value) }
      return
    case 'tmpfs-mode':
      draft.TmpfsOptions = { ...draft.TmpfsOptions, Mode: parseMode(key, value) }
      return
    default:
      throw new Error(`unexpected key '${key}' in '${field === whole ? whole : field}'`)
  }
}

function checkMount(draft: Omit<Draft, 'idMap'>, text: string): MountSpec {
  if (draft.Type === '') throw new Error('type is required')
  if (draft.Target === '') throw new Error('target is required')
  const groups = {
    bind: draft.BindOptions,
    volume: draft.VolumeOptions,
    image: draft.ImageOptions,
    tmpfs: draft.TmpfsOptions,
  }
  for (const [type, options] of Object.entries(groups)) {
    if (options !== undefined && draft.Type !== type) {
      throw new Error(`cannot mix '${type}-*' options with mount type '${draft.Type}'`)
    }
  }
  checkRecursive(draft, text)
  return draft as MountSpec
}

function checkRecursive({ BindOptions, ReadOnly }: Omit<Draft, 'idMap'>, _text: string): void {
  if (BindOptions?.ReadOnlyNonRecursive === true && ReadOnly !== true) {
    throw new Error("option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction")
  }
  if (BindOptions?.ReadOnlyForceRecursive !== true) return
  if (ReadOnly !== true)
    throw new Error("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction")
  if (BindOptions.Propagation !== 'rprivate') {
    throw new Error(
      "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
    )
  }
}

function parseRecursive(key: string, value: string): MountSpec['BindOptions'] {
  switch (value) {
    case 'enabled':
      return {}
    case 'disabled':
      return { NonRecursive: true }
    case 'writable':
      return { ReadOnlyNonRecursive: true }
    case 'readonly':
      return { ReadOnlyForceRecursive: true }
    default:
      throw new Error(`invalid value for ${key}: ${value} (must be "enabled", "disabled", "writable", or "readonly")`)
  }
}

function parseSwitch(key: string, value: string): boolean {
  const parsed = parseGoBool(value)
  if (parsed !== undefined) return parsed
  throw new Error(`invalid value for ${key}: ${value}`)
}

function parseTmpfsSize(key: string, value: string): number {
  try {
    return parseSize(value)
  } catch {
    throw new Error(`invalid value for ${key}: ${value}`)
  }
}

function parseMode(key: string, value: string): number {
  if (!/^[0-7]+$/.test(value)) throw new Error(`invalid value for ${key}: ${value}`)
  return Number.parseInt(value, 8)
}

function pair(text: string): Record<string, string> {
  const [key, value] = splitPair(text)
  return { [key]: value }
}
