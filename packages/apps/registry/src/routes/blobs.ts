import type { Digest } from '@berth/oci'
import { type BlobSource, openFileSource } from '../http/blob-source.ts'
import { type Call, isKnownToClient, send } from '../http/call.ts'
import { blobUnknown, nameUnknown, RegistryError, unsupported } from '../http/errors.ts'
import { planRange } from '../http/range.ts'
import { sendBytes } from '../http/send-bytes.ts'
import type { Registry } from '../registry.ts'

export async function getBlob(registry: Registry, call: Call, name: string, digest: Digest): Promise<void> {
  await using source = await openBlob(registry, name, digest)
  using _ = registry.pace.watchSending(call.request.socket)
  await sendBlob(call, digest, source)
}

async function openBlob({ store, content, upstream }: Registry, name: string, digest: Digest): Promise<BlobSource> {
  const blob = store.hasBlob(name, digest) ? content.info(digest) : undefined
  if (blob) return openFileSource(content.pathOf(digest), blob.sizeBytes)
  if (upstream) return upstream.openBlob(name, digest)
  throw store.hasRepository(name) ? blobUnknown(digest) : nameUnknown(name)
}

/** Answers GET and HEAD, whole or in part. */
async function sendBlob(call: Call, digest: Digest, source: BlobSource): Promise<void> {
  const { sizeBytes } = source
  const headers = {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'max-age=31536000',
    ETag: `"${digest}"`,
  }
  if (isKnownToClient(call, headers.ETag)) return send(call, 304, headers)
  const plan = planRange(call.request.headers.range, sizeBytes)
  if (plan.kind === 'unsatisfiable') {
    const told = { headers: { 'Content-Range': `bytes */${sizeBytes}` } }
    throw new RegistryError(416, 'SIZE_INVALID', 'the range is not within the blob', told)
  }
  const { start, end } = plan.kind === 'part' ? plan : { start: 0, end: sizeBytes - 1 }
  const part = plan.kind === 'part' ? { 'Content-Range': `bytes ${start}-${end}/${sizeBytes}` } : {}
  call.response.writeHead(plan.kind === 'part' ? 206 : 200, { ...headers, ...part, 'Content-Length': end - start + 1 })
  if (call.method === 'HEAD') return void call.response.end()
  await sendBytes(call, source, { start, end })
}

/** Takes the blob out of the repository; the collector frees its bytes. One that a manifest needs stays. */
export function deleteBlob({ store, rules }: Registry, call: Call, name: string, digest: Digest): void {
  if (!rules.allowsDeletion) throw unsupported('deletion is switched off')
  if (!store.hasRepository(name)) throw nameUnknown(name)
  const manifest = store.neededBy(name, digest)
  if (manifest !== undefined) {
    throw new RegistryError(403, 'DENIED', `the blob is needed by the manifest ${manifest}: delete that first`)
  }
  if (!store.unlinkBlob(name, digest)) throw blobUnknown(digest)
  send(call, 202)
}
