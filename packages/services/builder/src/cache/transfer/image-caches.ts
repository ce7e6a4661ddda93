import { isKind } from '@berth/base'
import { maxConfigBytes } from '@berth/oci'
import type { Context } from '../../context.ts'
import type { CacheSource } from './cache-store.ts'
import { inlineSteps } from './import-cache.ts'

type Needed = Pick<Context, 'images' | 'storage'>

/** What images that are here tell of the steps that made them; names that are not here are passed over. */
export async function imageCaches(context: Needed, references: readonly string[]): Promise<CacheSource[]> {
  const found = await Promise.all(references.map((reference) => imageCache(context, reference)))
  return found.flatMap((source) => source ?? [])
}

async function imageCache({ images, storage }: Needed, reference: string): Promise<CacheSource | undefined> {
  try {
    const image = await images.resolve(reference)
    const layers = await images.layersOf(image)
    const config = await storage.content.read(image.id, maxConfigBytes)
    const steps = inlineSteps(
      config,
      layers.map(({ descriptor }) => descriptor),
    )
    return { steps, fetchBlob: async () => {} }
  } catch (error) {
    if (isKind(error, 'notFound')) return undefined
    throw error
  }
}
