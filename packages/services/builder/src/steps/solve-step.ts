import type { ImageLayer } from '@berth/images'
import type { Digest } from '@berth/oci'
import { bringStep } from '../cache/transfer/bring-step.ts'
import { isCachedHere } from '../cache/build-cache.ts'
import { cacheDescription } from './cache-description.ts'
import type { PlannedStep, StageContext, StepEvent, StepOutcome } from './step-context.ts'

export interface StepWork {
  /** Digest over all that the outcome depends on. */
  readonly key: Digest
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
  { key, exec }: StepWork,
): Promise<SolvedStep> {
  const { request, solver, progress, signal, holds, context, imports } = build
  holds.use(context.cache.hold(key))
  const noCache =
    request.noCache === true || (request.noCache !== false && request.noCache.includes(stage.from.stageName))
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
