import { invalid } from '@berth/base'
import {
  decode,
  decodeImageConfig,
  type Descriptor,
  type Digest,
  isDigest,
  maxConfigBytes,
  parseReference,
  type Reference,
  sha256,
} from '@berth/oci'
import { describeLayer } from '../add-layer.ts'
import type { ImagesContext } from '../context.ts'
import type { ArchiveFiles } from './archive-files.ts'
import type { Candidate } from './candidate.ts'
import { findManifests } from './oci-layout.ts'

/** One element of Docker's manifest.json. */
interface ManifestItem {
  readonly config: string
  readonly repoTags: readonly string[]
  readonly layers: readonly string[]
  readonly parent: string
}

const maxManifestJsonBytes = 16 * 1024 * 1024

/**
 * The images of a `docker save` archive, by its manifest.json. Where the archive is an OCI layout too, the manifests of
 * that are kept, so that digests survive.
 */
export async function readDockerArchive({ content }: ImagesContext, files: ArchiveFiles): Promise<Candidate[]> {
  const items = decodeItems(await files.document('manifest.json', maxManifestJsonBytes))
  const manifests = files.has('index.json') ? await findManifests(files) : []
  const candidates: Candidate[] = []
  for (const item of items) {
    const configBytes = await files.document(item.config, maxConfigBytes)
    const config = decodeImageConfig(configBytes)
    requireSameLength(item.layers, config.rootfs.diff_ids)
    const layers: Descriptor[] = []
    for (const path of item.layers) {
      const { digest, sizeBytes } = await files.blob(path)
      layers.push(await describeLayer(content, digest, sizeBytes))
    }
    const id = sha256(configBytes)
    const original = manifests.find(
      ({ manifest }) =>
        manifest.config.digest === id &&
        manifest.layers.length === layers.length &&
        manifest.layers.every(({ digest }, i) => digest === layers[i]?.digest),
    )
    candidates.push({
      configBytes,
      config,
      layers: original?.manifest.layers ?? layers,
      ...(original && { manifest: original }),
      references: item.repoTags.map(parseRepoTag),
      ...(isDigest(item.parent) && { parent: item.parent }),
    })
  }
  return candidates
}

function requireSameLength(layers: readonly string[], diffIds: readonly Digest[]): void {
  if (layers.length !== diffIds.length) {
    throw invalid(`invalid manifest, layers length mismatch: expected ${layers.length}, got ${diffIds.length}`)
  }
}

function parseRepoTag(text: string): Reference {
  const reference = parseReference(text)
  if (reference.tag === undefined || reference.digest !== undefined)
    throw invalid(`invalid tag ${JSON.stringify(text)}`)
  return reference
}

function decodeItems(bytes: Buffer): ManifestItem[] {
  const place = decode.parseJson(bytes, 'manifest.json')
  if (place.value === null) throw invalid('invalid manifest, manifest cannot be null (but can be [])')
  return decode.array(place, (item) => ({
    config: decode.string(decode.member(item, 'Config')),
    repoTags: decode.optional(item, 'RepoTags', (tags) => decode.array(tags, decode.string)).RepoTags ?? [],
    layers: decode.optional(item, 'Layers', (layers) => decode.array(layers, decode.string)).Layers ?? [],
    parent: decode.optional(item, 'Parent', decode.string).Parent ?? '',
  }))
}
