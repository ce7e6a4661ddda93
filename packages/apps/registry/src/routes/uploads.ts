import type { Digest } from '@berth/oci'
import { bodyOf } from '../http/body.ts'
import { type Call, type Headers, send } from '../http/call.ts'
import { digestInvalid, RegistryError } from '../http/errors.ts'
import { parseContentRange } from '../http/range.ts'
import { checkName, toDigest } from '../http/target.ts'
import type { Registry } from '../registry.ts'
import { type ClaimedUpload, uploadedRange } from '../uploads/uploads.ts'

/** POST: mounts a blob of another repository, takes a whole blob, or begins an upload. */
export async function beginUpload(registry: Registry, call: Call, name: string): Promise<void> {
  const mount = call.query.get('mount')
  const from = call.query.get('from')
  if (mount !== null && from !== null) {
    checkName(from)
    const digest = toDigest(mount)
    if (registry.store.mountBlob(from, name, digest)) return sendStored(call, name, digest)
  }
  const digest = call.query.get('digest')
  const expected = digest === null ? undefined : toDigest(digest)
  const id = await registry.uploads.begin(name)
  if (expected !== undefined) return finish(registry, call, { name, id, digest: expected })
  send(call, 202, progress(registry, name, { id, offset: 0 }))
}

/** PATCH: the next chunk. */
export async function appendChunk(registry: Registry, call: Call, name: string, id: string): Promise<void> {
  using upload = await claim(registry, call, name, id)
  await append(registry, call, upload)
  send(call, 202, progress(registry, name, upload))
}

/** PUT: the last chunk, if any, and what it all must be. */
export async function finishUpload(registry: Registry, call: Call, name: string, id: string): Promise<void> {
  const digest = call.query.get('digest')
  if (digest === null) throw digestInvalid('the digest is missing')
  await finish(registry, call, { name, id, digest: toDigest(digest) })
}

export async function uploadStatus(registry: Registry, call: Call, name: string, id: string): Promise<void> {
  using upload = await claim(registry, call, name, id)
  send(call, 204, progress(registry, name, upload))
}

export async function cancelUpload(registry: Registry, call: Call, name: string, id: string): Promise<void> {
  using upload = await claim(registry, call, name, id)
  await upload.cancel()
  send(call, 204)
}

interface Finish {
  readonly name: string
  readonly id: string
  readonly digest: Digest
}

async function finish(registry: Registry, call: Call, { name, id, digest }: Finish): Promise<void> {
  using upload = await claim(registry, call, name, id)
  await append(registry, call, upload)
  await registry.locks.run(digest, async () => {
    await upload.finish(digest)
    registry.store.linkBlob(name, digest)
  })
  sendStored(call, name, digest)
}

const claim = (registry: Registry, call: Call, name: string, id: string): Promise<ClaimedUpload> =>
  registry.uploads.claim(name, id, () => void call.request.socket.destroy())

async function append(registry: Registry, call: Call, upload: ClaimedUpload): Promise<void> {
  const range = call.request.headers['content-range']
  const source = bodyOf(call, registry.pace)
  if (range === undefined) return upload.append({ source })
  const parsed = parseContentRange(range)
  if (!parsed) throw new RegistryError(400, 'BLOB_UPLOAD_INVALID', 'Content-Range must be START-END')
  await upload.append({ source, ...parsed })
}

function progress({ rules }: Registry, name: string, { id, offset }: { id: string; offset: number }): Headers {
  return {
    Location: `/v2/${name}/blobs/uploads/${id}`,
    Range: uploadedRange(offset),
    'Docker-Upload-UUID': id,
    ...(rules.chunkMinBytes > 0 && { 'OCI-Chunk-Min-Length': rules.chunkMinBytes }),
  }
}

const sendStored = (call: Call, name: string, digest: Digest): void =>
  send(call, 201, { Location: `/v2/${name}/blobs/${digest}`, 'Docker-Content-Digest': digest })
