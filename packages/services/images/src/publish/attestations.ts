import { type Descriptor, type Digest, mediaTypes } from '@berth/oci'
import { type Attestation, type PublishTools, putDocument } from './publication.ts'

const inTotoType = 'application/vnd.in-toto+json'

/**
 * Stores what is said of a manifest as a manifest of its own, which the index names beside it:
 * https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md
 */
export async function storeAttestations(
  tools: PublishTools,
  subject: Descriptor,
  attestations: readonly Attestation[],
): Promise<{ readonly descriptor: Descriptor; readonly blobs: readonly Digest[] } | undefined> {
  if (attestations.length === 0) return undefined
  const { context, lease } = tools
  const layers: Descriptor[] = []
  for (const { predicateType, statement } of attestations) {
    const digest = lease.broughtBlob(await context.content.put(statement))
    const annotations = { 'in-toto.io/predicate-type': predicateType }
    layers.push({ mediaType: inTotoType, digest, size: statement.length, annotations })
  }
  const digests = layers.map(({ digest }) => digest)
  const image = { architecture: 'unknown', os: 'unknown', config: {}, rootfs: { type: 'layers', diff_ids: digests } }
  const config = await putDocument(tools, image, mediaTypes.config)
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers }
  const descriptor = await putDocument(tools, manifest, mediaTypes.manifest)
  const annotations = {
    'vnd.docker.reference.digest': subject.digest,
    'vnd.docker.reference.type': 'attestation-manifest',
  }
  return {
    descriptor: { ...descriptor, annotations, platform: { architecture: 'unknown', os: 'unknown' } },
    blobs: [descriptor.digest, config.digest, ...digests],
  }
}
