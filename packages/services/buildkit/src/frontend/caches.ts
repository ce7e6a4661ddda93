import { invalid } from '@berth/base'
import type { CacheOptionsEntry } from '../../generated/control_pb.ts'
import type { Progress } from '../progress/progress.ts'

type Cache = Pick<CacheOptionsEntry, 'type' | 'attrs'>

/**
 * Caches that a client wants to be read or written beside the engine's own. None is, and a build goes on without, as
 * BuildKit goes on without one that it cannot reach: each is told as a step that failed.
 */
export function tellUnusedCaches(progress: Progress, imports: readonly Cache[], exports: readonly Cache[]): void {
  for (const { type, attrs } of imports) {
    const vertex = progress.vertex(`importing cache manifest from ${attrs['ref'] ?? attrs['src'] ?? type}`).start()
    vertex.complete({ error: `caches of type ${type} are not read: the engine's own cache goes by content` })
  }
  for (const { type } of exports) {
    const vertex = progress.vertex(`exporting cache: ${type}`).start()
    vertex.complete({ error: `caches of type ${type} are not written` })
  }
}

/** The attribute that clients of a gateway name them by. Throws `invalid` for what is no list. */
export function decodeCacheImports(text: string | undefined): Cache[] {
  if (!text) return []
  try {
    const list = JSON.parse(text) as unknown
    if (Array.isArray(list)) return list.map(decodeEntry)
  } catch {
    // As below.
  }
  throw invalid(`failed to unmarshal cache-imports ${JSON.stringify(text)}`)
}

function decodeEntry(value: unknown): Cache {
  const { Type, Attrs } = (value ?? {}) as { readonly Type?: unknown; readonly Attrs?: unknown }
  return { type: String(Type ?? ''), attrs: { ...(Attrs as Record<string, string> | undefined) } }
}
