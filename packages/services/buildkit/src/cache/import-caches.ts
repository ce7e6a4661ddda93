import { messageOf } from '@berth/base'
import { type CacheSource, importCache } from '@berth/builder'
import type { Progress } from '../progress/progress.ts'
import type { CacheImport } from './decode-caches.ts'
import { type CacheContext, openStore } from './open-store.ts'

/** Reads the caches that a client names, side by side. A build goes on without one that cannot be had. */
export async function importCaches(
  context: CacheContext & { readonly progress: Progress },
  imports: readonly CacheImport[],
): Promise<CacheSource[]> {
  const found = await Promise.all(imports.map((at) => importOne(context, at)))
  return found.flatMap((source) => source ?? [])
}

async function importOne(
  context: CacheContext & { readonly progress: Progress },
  at: CacheImport,
): Promise<CacheSource | undefined> {
  const name = at.kind === 'registry' ? at.reference : `local:${at.digest}`
  const vertex = context.progress.vertex(`importing cache manifest from ${name}`).start()
  try {
    const source = await importCache(await openStore(context, at), context.signal)
    vertex.complete()
    return source
  } catch (error) {
    vertex.complete({ error: messageOf(error) })
    context.signal.throwIfAborted()
    return undefined
  }
}
