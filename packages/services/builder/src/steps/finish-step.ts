import { sha256 } from '@berth/oci'
import { cacheDescription } from './cache-description.ts'
import { epochText } from '../export/source-date-epoch.ts'
import { withLayer } from '../filesystem.ts'
import { historyEntry } from '../stages/history.ts'
import { imageConfigOf, type StageState } from '../stages/stage-state.ts'
import type { SolvedStep } from './solve-step.ts'
import type { PlannedStep, StageContext } from './step-context.ts'

export interface FinishedStep {
  readonly outcome: SolvedStep
  readonly createdBy: string
  readonly draft: StageState['draft']
  readonly isEmpty: boolean
  readonly takesFromStages?: boolean
}

/** The state after a step; tells whoever follows the build. */
export function finishStep(
  { build }: StageContext,
  { step, state }: PlannedStep,
  { outcome, createdBy, draft, isEmpty, takesFromStages = false }: FinishedStep,
): StageState {
  const { key, layer, createdAt, isCached } = outcome
  const created = build.epochSeconds === undefined ? createdAt : epochText(build.epochSeconds)
  const options = { created, isEmpty: isEmpty || layer === undefined, author: draft.author }
  const fileSystem = withLayer(state.fileSystem, layer)
  const definition = build.definitions.get(step.number)
  const done = {
    key,
    description: cacheDescription(step),
    createdAt,
    layer,
    layers: fileSystem.layers,
    ...(definition && layer && takesFromStages && { definition }),
  }
  const next: StageState = {
    ...state,
    draft,
    fileSystem,
    steps: [...state.steps, done],
    history: [...state.history, historyEntry(build.words, createdBy, options)],
    created,
    isUntouched: false,
  }
  build.progress({ kind: 'ended', step, isCached, imageId: () => stateId(next) })
  return next
}

/** The id of the image that would be made of a state. */
export const stateId = (state: StageState): string =>
  state.isUntouched && state.baseId !== '' ? state.baseId : sha256(Buffer.from(JSON.stringify(imageConfigOf(state))))
