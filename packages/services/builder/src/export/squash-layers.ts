import { nowText } from '@berth/base'
import type { Lease } from '@berth/storage'
import type { Context } from '../context.ts'
import { changeFileSystem } from '../exec/writable.ts'
import { withLayer } from '../filesystem.ts'
import type { StageState } from '../stages/stage-state.ts'
import { stateId } from '../steps/finish-step.ts'

/**
 * The state with all that its stage did as one layer on what it began with: what a later step removed is in none. The
 * history says so as Docker's does. `lease` keeps the layer.
 */
export async function squashLayers(context: Context, state: StageState, lease: Lease): Promise<StageState> {
  const { begun, fileSystem, history } = state
  if (!begun || state.isUntouched) return state
  const base = { layers: fileSystem.layers.slice(0, begun.layers) }
  const own = fileSystem.layers.slice(begun.layers)
  const { content, trees } = context.storage
  const layer = await changeFileSystem(context, base, async ({ rootPath }) => {
    for (const { descriptor } of own) {
      await trees.applyLayer({ source: content.pathOf(descriptor.digest), target: rootPath })
    }
  })
  if (layer) lease.keep(layer.chainId, layer.descriptor.digest)
  const id = stateId(state)
  const created = nowText()
  const comment = begun.imageId === '' ? `create new from ${id}` : `merge ${id} to ${begun.imageId}`
  const merged = { created, comment, ...(layer === undefined && { empty_layer: true }) }
  const told = history.map((entry, i) => (i < begun.history ? entry : { ...entry, empty_layer: true }))
  return { ...state, fileSystem: withLayer(base, layer), history: [...told, merged], created }
}
