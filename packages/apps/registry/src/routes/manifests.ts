import { type Digest, isDigest, maxManifestBytes } from '@berth/oci'
import { readBody } from '../http/body.ts'
import { type Call, isKnownToClient, send } from '../http/call.ts'
import { manifestUnknown, nameUnknown, RegistryError, unsupported } from '../http/errors.ts'
import { planManifest } from '../manifests/plan-manifest.ts'
import type { Registry } from '../registry.ts'
import type { ManifestRecord } from '../store/registry-store.ts'

export async function getManifest(registry: Registry, call: Call, name: string, reference: string): Promise<void> {
  const { store, upstream } = registry
  if (upstream) return sendManifest(registry, call, await upstream.findManifest(name, reference))
  if (!store.hasRepository(name)) throw nameUnknown(name)
  const manifest = store.findManifest(name, reference)
  if (!manifest) throw manifestUnknown(name, reference)
  await sendManifest(registry, call, manifest)
}

async function sendManifest({ content }: Registry, call: Call, manifest: ManifestRecord): Promise<void> {
  const { digest, mediaType, sizeBytes } = manifest
  const etag = `"${digest}"`
  const headers = { 'Content-Type': mediaType, 'Docker-Content-Digest': digest, ETag: etag }
  if (isKnownToClient(call, etag)) return send(call, 304, headers)
  if (call.method === 'HEAD') return send(call, 200, { ...headers, 'Content-Length': sizeBytes })
  send(call, 200, headers, await content.read(digest, maxManifestBytes))
}

export async function putManifest(registry: Registry, call: Call, name: string, reference: string): Promise<void> {
  const bytes = await readBody(call, registry.pace, maxManifestBytes)
  const { record, needs } = planManifest(bytes, call.request.headers['content-type'], reference)
  const missing = await registry.locks.run(record.digest, async () => {
    await registry.content.ingest(once(bytes), { expected: record.digest })
    return registry.store.putManifest(name, record, needs, isDigest(reference) ? undefined : reference)
  })
  if (missing.length > 0) {
    const detail = missing.map((digest) => ({ digest }))
    throw new RegistryError(400, 'MANIFEST_BLOB_UNKNOWN', 'blob unknown to registry', { detail })
  }
  send(call, 201, {
    Location: `/v2/${name}/manifests/${record.digest}`,
    'Docker-Content-Digest': record.digest,
    ...(record.subject !== undefined && { 'OCI-Subject': record.subject }),
  })
}

/** By digest: the manifest with all its tags; by tag: the tag alone. */
export function deleteManifest({ store, rules }: Registry, call: Call, name: string, reference: string): void {
  if (!rules.allowsDeletion) throw unsupported('deletion is switched off')
  if (!store.hasRepository(name)) throw nameUnknown(name)
  const isGone = isDigest(reference)
    ? store.removeManifest(name, reference as Digest)
    : store.removeTag(name, reference)
  if (!isGone) throw manifestUnknown(name, reference)
  send(call, 202)
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
