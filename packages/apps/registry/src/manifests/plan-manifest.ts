import { messageOf } from '@berth/base'
import {
  algorithmOf,
  decodeDocument,
  type Descriptor,
  type Digest,
  Digester,
  type Document,
  isDigest,
  isIndexType,
  isManifestType,
  maxManifestBytes,
} from '@berth/oci'
import { digestInvalid, manifestInvalid } from '../http/errors.ts'
import type { ManifestNeeds, ManifestRecord, Need } from '../store/registry-store.ts'

export interface ManifestPlan {
  readonly record: ManifestRecord
  readonly needs: ManifestNeeds
}

/** What a pushed document is and needs. Throws `MANIFEST_INVALID`, and `DIGEST_INVALID` where it is not `reference`. */
export function planManifest(bytes: Uint8Array, contentType: string | undefined, reference: string): ManifestPlan {
  const digest = digestOf(bytes, isDigest(reference) ? algorithmOf(reference) : 'sha256')
  if (isDigest(reference) && digest !== reference) {
    throw digestInvalid('provided digest did not match uploaded content', { digest: reference, actual: digest })
  }
  const told = contentType?.split(';')[0]?.trim()
  const document = decode(bytes, told)
  const inside = document.kind === 'index' ? document.index : document.manifest
  const mediaType = inside.mediaType ?? told
  if (mediaType === undefined) throw manifestInvalid('the media type of the manifest is missing')
  if (told !== undefined && told !== mediaType) {
    throw manifestInvalid(`the Content-Type is ${told}, the manifest’s mediaType ${mediaType}`)
  }
  if (!isManifestType(mediaType) && !isIndexType(mediaType)) {
    throw manifestInvalid(`manifests of the type ${mediaType.slice(0, 200)} are not known here`)
  }
  const record = { digest, mediaType, sizeBytes: bytes.length, ...facts(document) }
  return { record, needs: needsOf(document) }
}

function digestOf(bytes: Uint8Array, algorithm: string): Digest {
  const digester = new Digester(algorithm)
  digester.update(bytes)
  return digester.digest()
}

function decode(bytes: Uint8Array, mediaType: string | undefined): Document {
  if (bytes.length > maxManifestBytes) throw manifestInvalid(`more than ${maxManifestBytes} bytes`)
  try {
    return decodeDocument(bytes, mediaType)
  } catch (error) {
    throw manifestInvalid(messageOf(error))
  }
}

/** What the list of referrers says of a document (spec.md#listing-referrers). */
function facts(document: Document): Pick<ManifestRecord, 'artifactType' | 'annotations' | 'subject'> {
  const { artifactType, annotations, subject } = document.kind === 'index' ? document.index : document.manifest
  const type = artifactType || (document.kind === 'manifest' ? document.manifest.config.mediaType : undefined)
  return {
    ...(type !== undefined && { artifactType: type }),
    ...(annotations !== undefined && { annotations }),
    ...(subject !== undefined && { subject: subject.digest }),
  }
}

function needsOf(document: Document): ManifestNeeds {
  if (document.kind === 'index') return { blobs: [], manifests: document.index.manifests.map(toNeed) }
  const { config, layers } = document.manifest
  return { blobs: [config, ...layers.filter((layer) => !livesElsewhere(layer))].map(toNeed), manifests: [] }
}

const toNeed = ({ digest, size }: Descriptor): Need => ({ digest, sizeBytes: size })

/** Layers whose bytes are to be had from another place only. */
const livesElsewhere = ({ mediaType, urls }: Descriptor): boolean =>
  (urls?.length ?? 0) > 0 || /\.nondistributable\.|\.foreign\./.test(mediaType)
