import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '@berth/base'
import type { TypedAttributes } from '@berth/buildkit-client'
import type { BuildRequest } from './build-request.ts'

/** Caches in directories of ours: OCI layouts that the engine reads and writes by the session. */
export interface CacheStores {
  /** Folders by the names that the engine knows them by. */
  readonly stores: ReadonlyMap<string, string>
  readonly imports: readonly TypedAttributes[]
  readonly exports: readonly TypedAttributes[]
  /** Why a cache is not taken. */
  readonly warnings: readonly string[]
}

const refName = 'org.opencontainers.image.ref.name'

interface LayoutIndex {
  readonly manifests?: readonly {
    readonly digest: string
    readonly annotations?: Readonly<Record<string, string>>
  }[]
}

/** Opens the caches of a build; one that is to be read and is not there is left out, and told of. */
export function openCacheStores({ cacheFrom, cacheTo, buildArgs }: BuildRequest): CacheStores {
  const stores = new Map<string, string>()
  const warnings: string[] = []
  const inline = /^(?:1|t|true)$/i.test(buildArgs['BUILDKIT_INLINE_CACHE'] ?? '') ? [{ type: 'inline', attrs: {} }] : []
  const exports = [...cacheTo, ...inline]
  for (const { type, attrs } of exports) {
    if (type === 'registry') requireAttribute(attrs, 'ref', 'registry cache exporter requires ref')
    if (type !== 'local') continue
    const folder = requireAttribute(attrs, 'dest', 'local cache exporter requires dest')
    mkdirSync(folder, { recursive: true })
    stores.set(`local:${folder}`, folder)
  }
  const imports = cacheFrom.flatMap((one) => {
    try {
      return [one.type === 'local' ? openImport(one, stores) : requireRef(one)]
    } catch (error) {
      if (!(error instanceof MissingCache)) throw error
      warnings.push(error.message)
      return []
    }
  })
  return { stores, imports, exports, warnings }
}

class MissingCache extends Error {}

function requireRef(one: TypedAttributes): TypedAttributes {
  if (one.type === 'registry') requireAttribute(one.attrs, 'ref', 'registry cache importer requires ref')
  return one
}

function openImport({ type, attrs }: TypedAttributes, stores: Map<string, string>): TypedAttributes {
  const folder = requireAttribute(attrs, 'src', 'local cache importer requires src')
  const index = join(folder, 'index.json')
  const digest = attrs['digest'] ?? taggedDigest(folder, index, attrs['tag'] ?? 'latest')
  stores.set(`local:${folder}`, folder)
  return { type, attrs: { ...attrs, digest } }
}

function taggedDigest(folder: string, index: string, tag: string): string {
  let found: string | undefined
  try {
    const { manifests = [] } = JSON.parse(readFileSync(index, 'utf8')) as LayoutIndex
    found = manifests.find(({ annotations }) => annotations?.[refName] === tag)?.digest
  } catch (error) {
    throw new MissingCache(`local cache import at ${folder} not found due to err: ${messageOf(error)}`)
  }
  if (found !== undefined) return found
  throw new Error('local cache importer requires either explicit digest, "latest" tag or custom tag on index.json')
}

/** Names what was written: `manifest` is the descriptor's JSON, as the engine tells it. */
export function recordCaches({ exports }: CacheStores, manifest: string | undefined): void {
  if (manifest === undefined) return
  const descriptor = JSON.parse(manifest) as Record<string, unknown>
  for (const { type, attrs } of exports) {
    if (type === 'local') record(attrs['dest'] ?? '', attrs['tag'] ?? 'latest', descriptor)
  }
}

function record(folder: string, tag: string, descriptor: Readonly<Record<string, unknown>>): void {
  const file = join(folder, 'index.json')
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as LayoutIndex) : {}
  const others = (before.manifests ?? []).filter(({ annotations }) => annotations?.[refName] !== tag)
  const manifests = [...others, { ...descriptor, annotations: { [refName]: tag } }]
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  writeFileSync(file, JSON.stringify({ schemaVersion: 2, mediaType, manifests }))
}

function requireAttribute(attrs: Readonly<Record<string, string>>, name: string, message: string): string {
  const value = attrs[name] ?? ''
  if (value === '') throw new Error(message)
  return value
}
