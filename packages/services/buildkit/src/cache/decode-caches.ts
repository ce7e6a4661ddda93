import { invalid } from '@berth/base'
import type { CacheOptionsEntry } from '@berth/buildkit-protocol'

export type CacheEntry = Pick<CacheOptionsEntry, 'type' | 'attrs'>

/** A `--cache-from`. */
export type CacheImport =
  | { readonly kind: 'registry'; readonly reference: string }
  /** A directory of the client's; it names the manifest in it. */
  | { readonly kind: 'local'; readonly directory: string; readonly digest: string }

/** A `--cache-to`. */
export interface CacheExportWish {
  readonly place: CacheImport | { readonly kind: 'inline' }
  /** The steps of the result, or of all stages. */
  readonly mode: 'min' | 'max'
  readonly isImageManifest: boolean
  /** What goes wrong does not fail the build. */
  readonly ignoresErrors: boolean
}

/** The attribute that clients of a gateway name caches by. Throws `invalid` for what is no list. */
export function decodeCacheImports(text: string | undefined): CacheEntry[] {
  if (!text) return []
  try {
    const list = JSON.parse(text) as unknown
    if (Array.isArray(list)) return list.map(decodeEntry)
  } catch {
    // As below.
  }
  throw invalid(`failed to unmarshal cache-imports ${JSON.stringify(text)}`)
}

function decodeEntry(value: unknown): CacheEntry {
  const { Type, Attrs } = (value ?? {}) as { readonly Type?: unknown; readonly Attrs?: unknown }
  return { type: String(Type ?? ''), attrs: { ...(Attrs as Record<string, string> | undefined) } }
}

/** Throws `invalid` for a kind of cache that is not done. */
export function decodeImport({ type, attrs }: CacheEntry): CacheImport {
  switch (type) {
    case 'registry':
      refuseAttributes(type, attrs, { 'registry.insecure': ['false'] })
      return { kind: 'registry', reference: required(type, attrs, 'ref') }
    case 'local':
      return { kind: 'local', directory: required(type, attrs, 'src'), digest: required(type, attrs, 'digest') }
    default:
      throw invalid(`unknown cache importer: ${JSON.stringify(type)}: this engine has registry and local`)
  }
}

/** Throws `invalid` for a kind of cache, or an attribute of it, that is not done. */
export function decodeExport({ type, attrs }: CacheEntry): CacheExportWish {
  return {
    place: placeOf(type, attrs),
    mode: type === 'inline' ? 'min' : modeOf(attrs['mode'] ?? 'min'),
    isImageManifest: flag('image-manifest', attrs, true),
    ignoresErrors: flag('ignore-error', attrs, false),
  }
}

function placeOf(type: string, attrs: CacheEntry['attrs']): CacheExportWish['place'] {
  refuseAttributes(type, attrs, type === 'local' ? localOnly : accepted)
  switch (type) {
    case 'inline':
      return { kind: 'inline' }
    case 'registry':
      return { kind: 'registry', reference: required(type, attrs, 'ref') }
    case 'local':
      return { kind: 'local', directory: required(type, attrs, 'dest'), digest: '' }
    default:
      throw invalid(`unknown cache exporter: ${JSON.stringify(type)}: this engine has inline, registry and local`)
  }
}

/** What attributes may be that change the bytes: nothing but what is done anyway. */
const accepted: Readonly<Record<string, readonly string[]>> = {
  'registry.insecure': ['false'],
  'oci-mediatypes': ['true'],
  compression: ['gzip'],
  'force-compression': ['false'],
  'compression-level': [],
}

/** A directory gets layers as they are stored here. */
const localOnly = { ...accepted, compression: ['uncompressed', 'gzip'] }

function refuseAttributes(
  type: string,
  attrs: CacheEntry['attrs'],
  allowed: Readonly<Record<string, readonly string[]>>,
): void {
  for (const [name, values] of Object.entries(allowed)) {
    const value = attrs[name]
    if (value === undefined || values.includes(value)) continue
    throw invalid(`${name}=${value} is not supported for ${type} caches`)
  }
}

function required(type: string, attrs: CacheEntry['attrs'], name: string): string {
  const value = attrs[name]
  if (!value) throw invalid(`${name} is required for ${type} caches`)
  return value
}

function modeOf(mode: string): 'min' | 'max' {
  if (mode !== 'min' && mode !== 'max') throw invalid(`invalid cache mode ${JSON.stringify(mode)}: min or max`)
  return mode
}

function flag(name: string, attrs: CacheEntry['attrs'], otherwise: boolean): boolean {
  const value = attrs[name]
  if (value === undefined) return otherwise
  if (value !== 'true' && value !== 'false') throw invalid(`invalid ${name}: ${JSON.stringify(value)}`)
  return value === 'true'
}
