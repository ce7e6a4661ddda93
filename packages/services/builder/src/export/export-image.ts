import type { Digest } from '@berth/oci'
import type { Context } from '../context.ts'
import { imageConfigOf, type StageState } from '../stages/stage-state.ts'

/** Makes the image of a state, under the names of the request; `cache` is what it tells of its steps. */
export async function exportImage(
  { images, logger }: Context,
  state: StageState,
  { tags, cache }: { readonly tags: readonly string[]; readonly cache?: string },
): Promise<Digest> {
  if (state.isUntouched && state.baseId !== '') {
    for (const tag of tags) await images.tag(state.baseId, tag)
    return state.baseId
  }
  const id = await images.create({
    config: { ...imageConfigOf(state), ...(cache !== undefined && { 'moby.buildkit.cache.v0': cache }) },
    layers: state.fileSystem.layers,
    parent: state.baseId,
    references: tags,
  })
  logger.debug({ id, tags }, 'builder: made an image')
  return id
}
