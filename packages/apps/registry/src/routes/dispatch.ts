import { type Call, sendJson } from '../http/call.ts'
import { RegistryError, unsupported } from '../http/errors.ts'
import type { Target } from '../http/target.ts'
import type { Registry } from '../registry.ts'
import { deleteBlob, getBlob } from './blobs.ts'
import { listReferrers, listRepositories, listTags } from './lists.ts'
import { deleteManifest, getManifest, putManifest } from './manifests.ts'
import { appendChunk, beginUpload, cancelUpload, finishUpload, uploadStatus } from './uploads.ts'

type Work = () => Promise<void> | void
type Methods = Readonly<Partial<Record<string, Work>>>

/** Does what the method asks of the target; 405 names the methods that there are. */
export async function dispatch(registry: Registry, call: Call, target: Target): Promise<void> {
  const methods = methodsOf(registry, call, target)
  const work = Object.hasOwn(methods, call.method) ? methods[call.method] : undefined
  if (!work) {
    const headers = { Allow: Object.keys(methods).join(', ') }
    throw new RegistryError(405, 'UNSUPPORTED', 'the operation is unsupported', { headers })
  }
  const isReading = call.method === 'GET' || call.method === 'HEAD'
  if (registry.rules.isReadOnly && !isReading) {
    throw unsupported(registry.upstream ? 'the registry is a cache' : 'the registry is read-only')
  }
  await work()
}

function methodsOf(registry: Registry, call: Call, target: Target): Methods {
  switch (target.kind) {
    case 'base':
      return reading(() => sendJson(call, 200, {}))
    case 'catalog':
      return reading(() => listRepositories(registry, call))
    case 'tags':
      return reading(() => listTags(registry, call, target.name))
    case 'referrers':
      return reading(() => listReferrers(registry, call, target.name, target.digest))
    case 'manifest':
      return {
        ...reading(() => getManifest(registry, call, target.name, target.reference)),
        PUT: () => putManifest(registry, call, target.name, target.reference),
        DELETE: () => deleteManifest(registry, call, target.name, target.reference),
      }
    case 'blob':
      return {
        ...reading(() => getBlob(registry, call, target.name, target.digest)),
        DELETE: () => deleteBlob(registry, call, target.name, target.digest),
      }
    case 'uploads':
      return { POST: () => beginUpload(registry, call, target.name) }
    case 'upload':
      return {
        GET: () => uploadStatus(registry, call, target.name, target.id),
        PATCH: () => appendChunk(registry, call, target.name, target.id),
        PUT: () => finishUpload(registry, call, target.name, target.id),
        DELETE: () => cancelUpload(registry, call, target.name, target.id),
      }
  }
}

const reading = (work: Work): Methods => ({ GET: work, HEAD: work })
