import { messageOf } from '@berth/base'
import { type BuildOutcome, exportCache } from '@berth/builder'
import type { Progress } from '../progress/progress.ts'
import type { CacheExportWish, CacheImport } from './decode-caches.ts'
import { type CacheContext, openStore } from './open-store.ts'

type Context = CacheContext & { readonly progress: Progress }

/** Writes caches; what the client is told of them. Those that are part of the image are written with it. */
export async function exportCaches(
  context: Context,
  outcomes: readonly BuildOutcome[],
  wishes: readonly CacheExportWish[],
): Promise<Record<string, string>> {
  const response: Record<string, string> = {}
  for (const wish of wishes) {
    if (wish.place.kind === 'inline') continue
    Object.assign(response, await exportTolerantly(context, outcomes, { ...wish, place: wish.place }))
  }
  return response
}

type Wish = CacheExportWish & { readonly place: CacheImport }

async function exportTolerantly(
  context: Context,
  outcomes: readonly BuildOutcome[],
  wish: Wish,
): Promise<Record<string, string>> {
  try {
    return await exportOne(context, outcomes, wish)
  } catch (error) {
    if (!wish.ignoresErrors || context.signal.aborted) throw error
    context.progress
      .vertex(`cache export was ignored: ${messageOf(error)}`)
      .start()
      .complete()
    return {}
  }
}

async function exportOne(
  context: Context,
  outcomes: readonly BuildOutcome[],
  wish: Wish,
): Promise<Record<string, string>> {
  const { place, mode, isImageManifest } = wish
  const name = place.kind === 'registry' ? 'registry' : 'client directory'
  return await context.progress.vertex(`exporting cache to ${name}`).run(async (vertex) => {
    const preparing = vertex.status('preparing build cache for export')
    const store = await openStore(context, place)
    const onStep = (text: string) => vertex.status(text).done()
    const manifest = await exportCache(outcomes, { store, mode, isImageManifest, onStep }, context.signal)
    preparing.done()
    return { 'cache.manifest': JSON.stringify(manifest) }
  })
}
