import { cacheDescription } from './cache-description.ts'
import type { PlannedStep, StageContext, StepEvent, StepOutcome } from './step-context.ts'
import type { ImageLayer } from '@berth/images'

export interface StepWork {
  /** Digest over all that the outcome depends on. */
  readonly key: string
  readonly exec: (emit: (event: StepEvent) => void, signal: AbortSignal) => Promise<ImageLayer | undefined>
}

/** Does a step, or takes its outcome from the cache. */
export async function solveStep(
  { build, stage }: StageContext,
  { step }: PlannedStep,
  { key, exec }: StepWork,
): Promise<StepOutcome & { readonly isCached: boolean }> {
  const { request, solver, progress, signal, holds, context } = build
  holds.use(context.cache.hold(key))
  const noCache =
    request.noCache === true || (request.noCache !== false && request.noCache.includes(stage.from.stageName))
  const onEvent = (event: StepEvent) => progress({ ...event, step })
  const { result, isCached } = await solver.solve(
    {
      key,
      exec: async (emit, abort) => {
        const layer = await exec(emit, abort)
        const { createdAt } = context.cache.put(key, layer, cacheDescription(step))
        return { layer, createdAt }
      },
    },
    { onEvent, signal, noCache },
  )
  return { ...result, isCached }
}
