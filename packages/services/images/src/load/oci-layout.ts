import { invalid } from '@berth/base'
import {
  decodeDocument,
  decodeImageConfig,
  decodeIndex,
  type Descriptor,
  type Digest,
  hostPlatform,
  isConfigType,
  isIndexType,
  isLayerType,
  type Manifest,
  maxConfigBytes,
  maxManifestBytes,
  parseReference,
  platformRank,
  type Reference,
  sha256,
  withDefaultTag,
} from '@berth/oci'
import { isAttestation } from '../index-members.ts'
import type { ArchiveFiles } from './archive-files.ts'
import type { Candidate } from './candidate.ts'

/** A manifest of the layout, under the entry of index.json that leads to it. */
export interface FoundManifest {
  readonly descriptor: Descriptor
  readonly manifest: Manifest
  readonly bytes: Buffer
  readonly root: Descriptor
}

const maxDepth = 3
const maxManifests = 1000

const pathOf = (digest: Digest): string => `blobs/${digest.replace(':', '/')}`

/** Every image manifest that is in the archive; an index may name others, of platforms that were left out. */
export async function findManifests(files: ArchiveFiles): Promise<FoundManifest[]> {
  const top = decodeIndex(await files.document('index.json', maxManifestBytes))
  const found: FoundManifest[] = []
  for (const root of top.manifests) await collect(files, root, root, maxDepth, found)
  return found
}

async function collect(
  files: ArchiveFiles,
  descriptor: Descriptor,
  root: Descriptor,
  depth: number,
  found: FoundManifest[],
): Promise<void> {
  const isWhole = descriptor === root
  if (isAttestation(descriptor) || (!isWhole && !files.has(pathOf(descriptor.digest)))) return
  if (found.length >= maxManifests) throw invalid(`index.json: more than ${maxManifests} manifests`)
  const bytes = await files.document(pathOf(descriptor.digest), maxManifestBytes)
  if (sha256(bytes) !== descriptor.digest || bytes.length !== descriptor.size) {
    throw invalid(`manifest ${descriptor.digest}: the blob is not of the digest and size that the index says`)
  }
  const document = decodeDocument(bytes, descriptor.mediaType)
  if (document.kind === 'manifest') {
    found.push({ descriptor, manifest: document.manifest, bytes, root })
    return
  }
  if (depth === 0) throw invalid(`index ${descriptor.digest}: indexes are nested too deep`)
  for (const child of document.index.manifests) await collect(files, child, root, depth - 1, found)
}

/** The images of an OCI layout (image-layout.md) without Docker's manifest.json. */
export async function readOciLayout(files: ArchiveFiles): Promise<Candidate[]> {
  const found = await findManifests(files)
  if (found.length === 0) throw invalid('index.json: names no image that is in the archive')
  const candidates: Candidate[] = []
  for (const one of best(found)) {
    if (isPresent(files, one)) candidates.push(await toCandidate(files, one))
  }
  if (candidates.length === 0) throw invalid('index.json: the archive lacks the layers of every image that it names')
  return candidates
}

/** This host's image of an index comes first. */
function best(found: readonly FoundManifest[]): FoundManifest[] {
  const rank = ({ descriptor }: FoundManifest) =>
    descriptor.platform ? (platformRank(hostPlatform(), descriptor.platform) ?? Number.MAX_SAFE_INTEGER) : 0
  return found.toSorted((a, b) => rank(a) - rank(b))
}

/** An index entry of another platform may have a manifest here but no layers; a plain image must be whole. */
function isPresent(files: ArchiveFiles, { root, manifest }: FoundManifest): boolean {
  const isOnly = !isIndexType(root.mediaType)
  return isOnly || [manifest.config, ...manifest.layers].every(({ digest }) => files.has(pathOf(digest)))
}

async function toCandidate(
  files: ArchiveFiles,
  { descriptor, manifest, bytes, root }: FoundManifest,
): Promise<Candidate> {
  const { config, layers } = manifest
  if (!isConfigType(config.mediaType))
    throw invalid(`manifest ${descriptor.digest}: ${config.mediaType} is no image config`)
  const unknown = layers.find(({ mediaType }) => !isLayerType(mediaType))
  if (unknown) throw invalid(`manifest ${descriptor.digest}: ${unknown.mediaType} is no layer`)
  const configBytes = await files.document(pathOf(config.digest), maxConfigBytes)
  if (sha256(configBytes) !== config.digest) throw invalid(`image config ${config.digest}: the blob has another digest`)
  for (const { digest } of layers) await files.blob(pathOf(digest))
  const decoded = decodeImageConfig(configBytes)
  if (decoded.rootfs.diff_ids.length !== layers.length) {
    const counts = `expected ${layers.length}, got ${decoded.rootfs.diff_ids.length}`
    throw invalid(`invalid manifest, layers length mismatch: ${counts}`)
  }
  const reference = referenceOf(root)
  return {
    configBytes,
    config: decoded,
    layers,
    manifest: { descriptor: withoutAnnotations(descriptor), bytes },
    references: reference ? [reference] : [],
    ...(isIndexType(root.mediaType) && { index: withoutAnnotations(root) }),
  }
}

const withoutAnnotations = ({ mediaType, digest, size }: Descriptor): Descriptor => ({ mediaType, digest, size })

/** containerd's full name, or OCI's annotation where that is one and not just a tag. */
function referenceOf({ annotations }: Descriptor): Reference | undefined {
  const name = annotations?.['io.containerd.image.name'] ?? annotations?.['org.opencontainers.image.ref.name']
  if (name === undefined || !/[/:]/.test(name)) return undefined
  const reference = parseReference(name)
  return reference.digest === undefined ? withDefaultTag(reference) : undefined
}
