import { isKind } from '@berth/base'
import { algorithmOf, decodeManifest, type Descriptor, type Digest, hexOf } from '@berth/oci'
import type { Repository } from '@berth/registry'
import type { SignedPayload } from './verify-signature.ts'

const payloadMediaType = 'application/vnd.dev.cosign.simplesigning.v1+json'
const artifactType = 'application/vnd.dev.cosign.artifact.sig.v1+json'
const annotation = 'dev.cosignproject.cosign/signature'

/** A registry may list without end: so many signatures are looked at. */
const mostManifests = 20
const mostPayloads = 50
const mostPayloadBytes = 64 * 1024

/** What is beside an image as its signatures: behind its tag `sha256-HEX.sig`, and among its referrers. */
export async function* fetchSignatures(
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
): AsyncGenerator<SignedPayload> {
  let payloads = 0
  for await (const manifest of signatureManifests(repository, digest, signal)) {
    for (const layer of manifest) {
      const signature = layer.annotations?.[annotation]
      if (layer.mediaType !== payloadMediaType || signature === undefined) continue
      if (++payloads > mostPayloads) return
      yield { payload: await repository.readBlob(layer.digest, mostPayloadBytes, signal), signature }
    }
  }
}

async function* signatureManifests(
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
): AsyncGenerator<readonly Descriptor[]> {
  const tag = `${algorithmOf(digest)}-${hexOf(digest)}.sig`
  const tagged = await layersOf(repository, tag, signal)
  if (tagged) yield tagged
  const referrers = await repository.referrers(digest, artifactType, signal)
  for (const { digest: referrer } of referrers.slice(0, mostManifests)) {
    const layers = await layersOf(repository, referrer, signal)
    if (layers) yield layers
  }
}

/** Undefined where there is no such manifest. */
async function layersOf(
  repository: Repository,
  reference: string,
  signal: AbortSignal,
): Promise<readonly Descriptor[] | undefined> {
  try {
    const { bytes } = await repository.manifest(reference, signal)
    return decodeManifest(bytes).layers
  } catch (error) {
    if (isKind(error, 'notFound')) return undefined
    throw error
  }
}
