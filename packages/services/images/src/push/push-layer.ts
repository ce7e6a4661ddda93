import { fault } from '@berth/base'
import { type Descriptor, type Digest, mediaTypes } from '@berth/oci'
import type { Repository } from '@berth/registry'
import type { ContentStore } from '@berth/storage'
import { compressLayer } from '../compress-layer.ts'
import { blamingDisk, openSound, requireSound } from '../sound-blobs.ts'
import type { TransferStore } from '../transfer-store.ts'
import type { TransferSlots } from '../pull/transfer-slots.ts'
import type { PlannedLayer } from './plan-push.ts'

export interface LayerPush {
  readonly content: ContentStore
  readonly known: TransferStore
  readonly slots: TransferSlots
  readonly repository: Repository
  readonly signal: AbortSignal
}

/** What became of a layer: for the words of its report. */
export type LayerOutcome = 'Layer already exists' | 'Pushed' | `Mounted from ${string}`

export interface PushedLayer {
  /** Under which the repository has it. */
  readonly descriptor: Descriptor
  readonly outcome: LayerOutcome
}

export type PushProgress =
  | { readonly phase: 'waiting' }
  | { readonly phase: 'retrying'; readonly secondsLeft: number }
  | { readonly phase: 'pushing'; readonly currentBytes: number }

type Report = (progress: PushProgress) => void

/** Tried before an upload, as Docker does. */
const maxMounts = 3

/** Sees to it that the repository has the layer. */
export async function pushLayer(push: LayerPush, layer: PlannedLayer, report: Report): Promise<PushedLayer> {
  const { known, repository, slots, signal } = push
  using _ = await slots.take(signal, () => report({ phase: 'waiting' }))
  const expected = layer.isCompressed ? known.compressedOf(layer.diffId) : layer.stored
  const found = expected && (await findOrMount(push, expected.digest))
  if (expected && found) {
    known.recordSource([expected.digest], repository.name)
    return { descriptor: expected, outcome: found }
  }
  const descriptor = layer.isCompressed
    ? await uploadCompressed(push, layer, report)
    : await upload(push, layer.stored, report)
  known.recordSource([descriptor.digest], repository.name)
  fault('push: layer')
  return { descriptor, outcome: 'Pushed' }
}

async function findOrMount(push: LayerPush, digest: Digest): Promise<LayerOutcome | undefined> {
  const { known, repository, signal } = push
  const { name } = repository
  if (await repository.hasBlob(digest, signal)) return 'Layer already exists'
  const others = known.pathsWith(digest, name.domain).filter((path) => path !== name.path)
  for (const path of others.slice(0, maxMounts)) {
    if (await tryMount(push, digest, path)) return `Mounted from ${path}`
    known.forgetSource(digest, { domain: name.domain, path })
  }
  return undefined
}

/** A mount only spares an upload: whatever speaks against it, the upload remains. */
async function tryMount({ repository, signal }: LayerPush, digest: Digest, fromPath: string): Promise<boolean> {
  try {
    return await repository.mountBlob(digest, fromPath, signal)
  } catch (error) {
    if (signal.aborted) throw error
    return false
  }
}

async function upload(
  { content, repository, signal }: LayerPush,
  stored: Descriptor,
  report: Report,
): Promise<Descriptor> {
  const { digest, size: sizeBytes } = stored
  requireSound(content, stored)
  const source = {
    kind: 'blob' as const,
    digest,
    sizeBytes,
    open: (start: number) => content.open(digest, { start }),
    onProgress: (currentBytes: number) => report({ phase: 'pushing', currentBytes }),
    onRetry: (secondsLeft: number) => report({ phase: 'retrying', secondsLeft }),
  }
  await blamingDisk(content, digest, () => repository.uploadBlob(source, signal))
  return stored
}

async function uploadCompressed(
  { content, known, repository, signal }: LayerPush,
  { diffId, stored }: PlannedLayer,
  report: Report,
): Promise<Descriptor> {
  const onRead = (currentBytes: number) => report({ phase: 'pushing', currentBytes })
  const onRetry = (secondsLeft: number) => report({ phase: 'retrying', secondsLeft })
  const open = () => compressLayer(counted(openSound(content, stored.digest), onRead))
  const uploaded = await repository.uploadBlob({ kind: 'stream', open, onRetry }, signal).catch((error: unknown) => {
    // What the disk has done looks like a connection that failed.
    requireSound(content, stored)
    throw error
  })
  const descriptor = { mediaType: mediaTypes.dockerLayerGzip, ...uploaded }
  known.recordCompressed(diffId, descriptor)
  return descriptor
}

/** What is told is what goes in, whose size is known. */
async function* counted(
  source: AsyncIterable<Buffer>,
  onRead: (bytes: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  let bytes = 0
  for await (const chunk of source) {
    yield chunk
    bytes += chunk.length
    onRead(bytes)
  }
}
