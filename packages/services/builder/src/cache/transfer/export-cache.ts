import { type Descriptor, type Digest, mediaTypes, sha256 } from '@berth/oci'
import type { BuildOutcome } from '../../builder.ts'
import type { DoneStep } from '../../stages/stage-state.ts'
import { buildCacheDocument, cacheConfigType, recordsOf } from './cache-document.ts'
import type { CacheStore } from './cache-store.ts'

export interface CacheExport {
  readonly store: CacheStore
  /** What made the outcomes, or all that was done for them. */
  readonly mode: 'min' | 'max'
  /** As an image's manifest, which every registry takes, or as an index. */
  readonly isImageManifest: boolean
  readonly onStep?: (text: string) => void
}

/** Writes the steps of outcomes, with their layers, where others can begin with them; returns the manifest's descriptor. */
export async function exportCache(
  outcomes: readonly Pick<BuildOutcome, 'doneSteps'>[],
  { store, mode, isImageManifest, onStep = () => {} }: CacheExport,
  signal: AbortSignal,
): Promise<Descriptor> {
  const done = outcomes.flatMap((outcome) => outcome.doneSteps(mode))
  const steps = [...new Map(done.map((step) => [step.key, step])).values()]
  const placed = new Map<Digest, Descriptor>()
  for (const layer of steps.flatMap(({ layers }) => layers)) {
    if (placed.has(layer.chainId)) continue
    const descriptor = await store.putLayer(layer, signal)
    placed.set(layer.chainId, descriptor)
    onStep(`writing layer ${descriptor.digest}`)
  }
  const config = Buffer.from(JSON.stringify(buildCacheDocument(steps, placed)))
  const blob = { mediaType: cacheConfigType, digest: sha256(config), size: config.length }
  await store.putBlob(config, signal)
  onStep(`writing config ${blob.digest}`)
  const manifest = buildManifest([...placed.values()], blob, isImageManifest)
  await store.putManifest(manifest, signal)
  const { mediaType, bytes } = manifest
  const descriptor = { mediaType, digest: sha256(bytes), size: bytes.length }
  onStep(`writing cache ${isImageManifest ? 'image ' : ''}manifest ${descriptor.digest}`)
  return descriptor
}

function buildManifest(layers: readonly Descriptor[], config: Descriptor, isImage: boolean) {
  const blobs = [...new Map(layers.map((layer) => [layer.digest, layer])).values()]
  const own = isImage ? { config, layers: blobs } : { manifests: [...blobs, config] }
  const mediaType = isImage ? mediaTypes.manifest : mediaTypes.index
  return { mediaType, bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...own })) }
}

/** What an image's configuration tells of the steps that made it, `layers` being all of the image's chain ids. */
export function inlineCache(steps: readonly DoneStep[], layers: readonly Digest[]): string {
  const records = steps.flatMap((step) => recordsOf(step, ({ chainId }) => layers.indexOf(chainId)))
  return Buffer.from(JSON.stringify(records)).toString('base64')
}
