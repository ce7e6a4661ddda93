import { invalid } from '@berth/base'
import { array, boolean, integer, member, optional, parseJson, type Place, record, string } from './decode.ts'
import { toDigest } from './decode-manifest.ts'
import type { HistoryEntry, ImageConfig, ImageRunConfig } from './image-config.ts'
import { hostPlatform } from './platform.ts'

/** Bytes that an image config may have. */
export const maxConfigBytes = 8 * 1024 * 1024

/**
 * Decodes an image config. What Docker tolerates passes too: null for an empty list, one string for a command, no
 * platform (then it is this host's). Throws `invalid` naming the field.
 */
export function decodeImageConfig(bytes: Uint8Array | string): ImageConfig {
  if (bytes.length > maxConfigBytes) throw invalid(`image config: larger than ${maxConfigBytes} bytes`)
  const place = parseJson(bytes, 'image config')
  const rootfs = member(place, 'rootfs')
  if (rootfs.value === undefined) throw invalid('invalid image JSON, no RootFS key')
  const diffIds = member(rootfs, 'diff_ids')
  const host = hostPlatform()
  return {
    os: textOr(place, 'os', host.os),
    architecture: textOr(place, 'architecture', host.architecture),
    ...optional(place, 'variant', string),
    ...optional(place, 'os.version', string),
    ...optional(place, 'os.features', strings),
    ...optional(place, 'created', string),
    ...optional(place, 'author', string),
    ...optional(place, 'config', toRunConfig),
    rootfs: { type: 'layers', diff_ids: diffIds.value === undefined ? [] : array(diffIds, toDigest) },
    ...optional(place, 'history', (at) => array(at, toHistory)),
    ...optional(place, 'comment', string),
    ...optional(place, 'docker_version', string),
    ...optional(place, 'container', string),
    ...optional(place, 'moby.buildkit.cache.v0', string),
  }
}

function textOr(place: Place, name: string, otherwise: string): string {
  const at = member(place, name)
  return at.value === undefined || at.value === '' ? otherwise : string(at)
}

const strings = (place: Place): string[] => array(place, string)

/** Docker's StrSlice: a list, or one string that stands for a list of one. */
const command = (place: Place): string[] => (typeof place.value === 'string' ? [place.value] : strings(place))

const set = (place: Place): Record<string, Record<string, never>> => record(place, () => ({}))

export function toRunConfig(place: Place): ImageRunConfig {
  return {
    ...optional(place, 'User', string),
    ...optional(place, 'ExposedPorts', set),
    ...optional(place, 'Env', strings),
    ...optional(place, 'Entrypoint', command),
    ...optional(place, 'Cmd', command),
    ...optional(place, 'Volumes', set),
    ...optional(place, 'WorkingDir', string),
    ...optional(place, 'Labels', (at) => record(at, string)),
    ...optional(place, 'StopSignal', string),
    ...optional(place, 'ArgsEscaped', boolean),
    ...optional(place, 'Healthcheck', toHealthcheck),
    ...optional(place, 'OnBuild', strings),
    ...optional(place, 'Shell', command),
  }
}

function toHealthcheck(place: Place): NonNullable<ImageRunConfig['Healthcheck']> {
  return {
    ...optional(place, 'Test', strings),
    ...optional(place, 'Interval', integer),
    ...optional(place, 'Timeout', integer),
    ...optional(place, 'StartPeriod', integer),
    ...optional(place, 'StartInterval', integer),
    ...optional(place, 'Retries', integer),
  }
}

function toHistory(place: Place): HistoryEntry {
  return {
    ...optional(place, 'created', string),
    ...optional(place, 'created_by', string),
    ...optional(place, 'author', string),
    ...optional(place, 'comment', string),
    ...optional(place, 'empty_layer', boolean),
  }
}
