import { invalid } from '@berth/base'
import {
  decodeDocument,
  type Descriptor,
  isConfigType,
  isDigest,
  isIndexType,
  isLayerType,
  type Manifest,
  maxManifestBytes,
  type Platform,
  type Reference,
} from '@berth/oci'
import type { FetchedManifest, Repository } from '@berth/registry'
import type { ContentStore } from '@berth/storage'
import { maxLayers } from '../add-layer.ts'
import type { ImagesContext } from '../context.ts'
import { keyOf } from '../image-store.ts'
import { readSound } from '../sound-blobs.ts'
import { chooseManifest } from './choose-manifest.ts'

/** The documents that lead from a name to one image. */
export interface ImageDocuments {
  /** What the name stands for. */
  readonly target: FetchedManifest
  /** From the target down to the image's own manifest, which is the target itself when there is no index. */
  readonly chain: readonly FetchedManifest[]
  readonly manifest: Manifest
  readonly descriptor: Descriptor
}

const maxDepth = 3

/**
 * What a reference stands for now. Of a tag that is here only the head is asked for, as docker does: registries that
 * limit pulls count those that get more. The caller has a lease.
 */
export async function fetchTarget(
  { store, content }: Pick<ImagesContext, 'store' | 'content'>,
  repository: Repository,
  { reference, signal }: { readonly reference: Reference; readonly signal: AbortSignal },
): Promise<FetchedManifest> {
  const id = reference.digest ?? reference.tag ?? 'latest'
  const known = reference.digest === undefined ? store.names.get(keyOf(reference))?.target : undefined
  if (known && content.holds(known)) {
    const { digest } = await repository.resolve(id, signal)
    const here = digest === known.digest ? await documentHere(content, known) : undefined
    if (here) return here
  }
  return await repository.manifest(id, signal)
}

interface DocumentsRequest {
  readonly repository: Repository
  readonly platform: Platform | undefined
  readonly signal: AbortSignal
}

/** Follows indexes to the manifest for `platform` (default: this host), from a target that was fetched. */
export async function fetchDocuments(
  content: ContentStore,
  target: FetchedManifest,
  { repository, platform, signal }: DocumentsRequest,
): Promise<ImageDocuments> {
  const chain = [target]
  for (let current = target; chain.length <= maxDepth + 1;) {
    const { descriptor, bytes } = current
    const document = decodeDocument(bytes, knownType(descriptor.mediaType))
    if (document.kind === 'manifest') {
      checkManifest(document.manifest)
      return { target, chain, manifest: document.manifest, descriptor }
    }
    const next = chooseManifest(document.index, platform)
    current = (await documentHere(content, next)) ?? (await fetchChild(repository, next, signal))
    chain.push(current)
  }
  throw invalid(`${repository.name.path}: indexes are nested too deep`)
}

/** Only these types say something of a document; for any other the document speaks for itself. */
const knownType = (mediaType: string): string | undefined => (/manifest|index/.test(mediaType) ? mediaType : undefined)

async function documentHere(content: ContentStore, descriptor: Descriptor): Promise<FetchedManifest | undefined> {
  const bytes = await readSound(content, descriptor, maxManifestBytes)
  return bytes && { descriptor, bytes }
}

async function fetchChild(repository: Repository, wanted: Descriptor, signal: AbortSignal): Promise<FetchedManifest> {
  if (!isDigest(wanted.digest)) throw invalid('an index names a manifest by no digest')
  const { bytes, descriptor } = await repository.manifest(wanted.digest, signal)
  if (bytes.length !== wanted.size) {
    throw invalid(`manifest ${wanted.digest} has ${bytes.length} bytes, not the ${wanted.size} that the index says`)
  }
  return { bytes, descriptor: { ...descriptor, mediaType: wanted.mediaType } }
}

/** Refuses what is no image that we can keep and run. */
function checkManifest({ config, layers }: Manifest): void {
  if (!isConfigType(config.mediaType)) {
    throw invalid(
      `Encountered remote ${JSON.stringify(config.mediaType)}(unknown) when fetching: an artifact, not an image`,
    )
  }
  if (layers.length > maxLayers) throw invalid('max depth exceeded')
  for (const layer of layers) checkLayer(layer)
}

function checkLayer({ mediaType, digest, urls }: Descriptor): void {
  if (/foreign|nondistributable/.test(mediaType) || (urls !== undefined && urls.length > 0)) {
    throw invalid(`layer ${digest} is a foreign layer (${mediaType}): its bytes are elsewhere, and are not fetched`)
  }
  if (!isLayerType(mediaType)) throw invalid(`layer ${digest}: unsupported media type ${JSON.stringify(mediaType)}`)
}

export const isIndex = ({ descriptor }: FetchedManifest): boolean => isIndexType(descriptor.mediaType)
