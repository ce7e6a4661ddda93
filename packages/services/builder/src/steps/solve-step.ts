import type { ImageLayer } from '@berth/images'
import type { Digest } from '@berth/oci'
import { bringStep } from '../cache/transfer/bring-step.ts'
import type { Stage } from '@berth/dockerfile'
import type { BuildRequest } from '../builder.ts'
import { definedLayer } from '../stages/definitions.ts'
import { isCachedHere } from '../cache/build-cache.ts'
import type { StageState } from '../stages/stage-state.ts'
import { cacheDescription } from './cache-description.ts'
import { finishStep } from './finish-step.ts'
import type { PlannedStep, StageContext, StepEvent, StepOutcome } from './step-context.ts'

export interface StepWork {
  /** Digest over all that the outcome depends on. */
  readonly key: Digest
  /** It makes no layer. */
  readonly isEmpty?: boolean
  /** What it takes in is another stage's. */
  readonly takesFromStages?: boolean
  readonly exec: (emit: (event: StepEvent) => void, signal: AbortSignal) => Promise<ImageLayer | undefined>
}

export interface SolvedStep extends StepOutcome {
  readonly key: Digest
  readonly isCached: boolean
}

/** Does a step, or takes its outcome from the cache, or from one that was imported. */
export async function solveStep(
  { build, stage }: StageContext,
  { step, state }: PlannedStep,
  { key, exec, isEmpty, takesFromStages }: StepWork,
): Promise<SolvedStep> {
  const { request, solver, progress, signal, holds, context, imports, pass } = build
  if (pass) {
    if (takesFromStages) pass.record(step.number, key)
    return { key, layer: isEmpty ? undefined : definedLayer(key), createdAt: '', isCached: true }
  }
  holds.use(context.cache.hold(key))
  const noCache = isWithoutCache(request, stage)
  const onEvent = (event: StepEvent) => progress({ ...event, step })
  if (!noCache && imports.length > 0 && !isCachedHere(context, key)) {
    await bringStep(context, { key, on: state.fileSystem, sources: imports, signal })
  }
  const { result, isCached } = await solver.solve(
    {
      key,
      exec: async (emit, abort) => {
        const layer = await exec(emit, abort)
        const { createdAt } = context.cache.put(key, layer, { description: cacheDescription(step) })
        return { layer, createdAt }
      },
    },
    { onEvent, signal, noCache },
  )
  return { ...result, key, isCached }
}

const isWithoutCache = ({ noCache }: BuildRequest, { from }: Stage): boolean =>
  noCache === true || (noCache !== false && noCache.includes(from.stageName))

/** The state after a step that takes from other stages, where its outcome is known by what those are told to do. */
export async function takeDefined(
  stage: StageContext,
  planned: PlannedStep,
  createdBy: (key: Digest) => string,
): Promise<StageState | undefined> {
  const { context, definitions, holds, imports, progress, request, signal } = stage.build
  const { step, state } = planned
  const key = definitions.get(step.number)
  if (key === undefined || isWithoutCache(request, stage.stage)) return undefined
  holds.use(context.cache.hold(key))
  if (!isCachedHere(context, key)) await bringStep(context, { key, on: state.fileSystem, sources: imports, signal })
  const known = isCachedHere(context, key) ? context.cache.get(key) : undefined
  if (!known?.layer) return undefined
  context.cache.touch(key)
  progress({ kind: 'started', step })
  const outcome = { key, layer: known.layer, createdAt: known.createdAt, isCached: true }
  const draft = state.draft
  return finishStep(stage, planned, {
    outcome,
    createdBy: createdBy(key),
    draft,
    isEmpty: false,
    takesFromStages: true,
  })
}
