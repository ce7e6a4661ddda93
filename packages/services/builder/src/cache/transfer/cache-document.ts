import { invalid } from '@berth/base'
import { decode, type Descriptor, type Digest, toDigest } from '@berth/oci'
import type { ImageLayer } from '@berth/images'
import type { DoneStep } from '../../stages/stage-state.ts'

const { array, integer, member, optional, parseJson, string } = decode
type Place = decode.Place

// BuildKit's cache configuration: github.com/moby/buildkit/cache/remotecache/v1, types of spec.go.

export const cacheConfigType = 'application/vnd.buildkit.cacheconfig.v0'

/** Bytes that a cache configuration may have. */
export const maxCacheConfigBytes = 8 << 20

interface CacheLayer {
  readonly blob: Digest
  /** Index of the layer beneath it, -1 for none. */
  readonly parent: number
  readonly annotations?: {
    readonly mediaType?: string
    readonly diffID?: Digest
    readonly size?: number
    readonly createdAt?: string
  }
}

/** One step. What is ours alone, `createdAt` and `description`, BuildKit passes over. */
interface CacheRecord {
  readonly digest: Digest
  readonly layers?: readonly { readonly layer: number; readonly createdAt?: string }[]
  readonly createdAt?: string
  readonly description?: string
}

export interface CacheDocument {
  readonly layers: readonly CacheLayer[]
  readonly records: readonly CacheRecord[]
}

/** What an imported cache knows of a step. */
export interface CachedElsewhere {
  readonly createdAt: string
  readonly description: string
  /** Undefined: the step changed nothing. */
  readonly layer: { readonly descriptor: Descriptor; readonly diffId: Digest } | undefined
}

export type ImportedSteps = ReadonlyMap<string, CachedElsewhere>

/** The document of steps, whose layers are where the cache is under the descriptors of `placed`, by their chain ids. */
export function buildCacheDocument(steps: readonly DoneStep[], placed: ReadonlyMap<Digest, Descriptor>): CacheDocument {
  const layers: CacheLayer[] = []
  const indices = new Map<Digest, number>()
  for (const step of steps) {
    let parent = -1
    for (const layer of step.layers) {
      const known = indices.get(layer.chainId)
      parent = known ?? layers.push(describeLayer(layer, placed, { parent, createdAt: step.createdAt })) - 1
      indices.set(layer.chainId, parent)
    }
  }
  const records = steps.flatMap((step) => recordsOf(step, (layer) => indices.get(layer.chainId) as number))
  return { layers, records }
}

function describeLayer(
  { chainId, diffId }: ImageLayer,
  placed: ReadonlyMap<Digest, Descriptor>,
  { parent, createdAt }: { readonly parent: number; readonly createdAt: string },
): CacheLayer {
  const { digest, mediaType, size } = placed.get(chainId) as Descriptor
  return { blob: digest, parent, annotations: { mediaType, diffID: diffId, size, createdAt } }
}

/** A step as records, by its key and by its definition; `indexOf` tells the number of its layer. */
export function recordsOf(step: DoneStep, indexOf: (layer: ImageLayer) => number): CacheRecord[] {
  const { key, definition, layer, createdAt, description } = step
  const layers = layer ? { layers: [{ layer: indexOf(layer), createdAt }] } : {}
  const digests = definition === undefined || definition === key ? [key] : [key, definition]
  return digests.map((digest) => ({ digest, createdAt, description, ...layers }))
}

/** Throws `invalid` for what is no cache configuration. */
export function parseCacheDocument(bytes: Uint8Array): ImportedSteps {
  if (bytes.length > maxCacheConfigBytes) throw invalid(`cache config: larger than ${maxCacheConfigBytes} bytes`)
  const place = parseJson(bytes, 'cache config')
  const layers = listAt(place, 'layers', toLayer)
  return stepsOf(listAt(place, 'records', toRecord), layers)
}

/** Records of an inline cache, whose layers are those of their image, base first. */
export function parseInlineRecords(
  text: string,
  layers: readonly NonNullable<CachedElsewhere['layer']>[],
): ImportedSteps {
  const bytes = Buffer.from(text, 'base64')
  return stepsOf(array(parseJson(bytes, 'inline cache'), toRecord), layers)
}

function listAt<T>(place: Place, name: string, decode: (at: Place) => T): T[] {
  const at = member(place, name)
  return at.value === undefined ? [] : array(at, decode)
}

function toLayer(place: Place): CachedElsewhere['layer'] {
  const digest = toDigest(member(place, 'blob'))
  const about = member(place, 'annotations')
  if (about.value === undefined) return undefined
  const { diffID, mediaType, size } = {
    ...optional(about, 'diffID', toDigest),
    ...optional(about, 'mediaType', string),
    ...optional(about, 'size', integer),
  }
  if (diffID === undefined || mediaType === undefined || size === undefined || size < 0) return undefined
  return { descriptor: { mediaType, digest, size }, diffId: diffID }
}

function toRecord(place: Place): CacheRecord {
  return {
    digest: toDigest(member(place, 'digest')),
    layers: listAt(place, 'layers', (at) => ({
      layer: integer(member(at, 'layer')),
      ...optional(at, 'createdAt', string),
    })),
    ...optional(place, 'createdAt', string),
    ...optional(place, 'description', string),
  }
}

/** Records without the time of ours are another builder's: their keys are not ours, so they are of no use. */
function stepsOf(records: readonly CacheRecord[], layers: readonly CachedElsewhere['layer'][]): ImportedSteps {
  const steps = new Map<string, CachedElsewhere>()
  for (const { digest, layers: results = [], createdAt, description = '' } of records) {
    if (createdAt === undefined || Number.isNaN(Date.parse(createdAt))) continue
    const [result] = results
    const layer = result && layers[result.layer]
    if (!result || layer) steps.set(digest, { createdAt, description: description.slice(0, 1000), layer })
  }
  return steps
}
