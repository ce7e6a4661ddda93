import { unusedArgs } from '@berth/dockerfile'
import type { BuildEvent, BuildProgress, BuildRequest, BuildStep } from './builder.ts'
import type { Context } from './context.ts'
import { sourceDateEpoch } from './export/source-date-epoch.ts'
import { Outcome } from './outcome.ts'
import { withLabels } from './stages/build-stage.ts'
import { planBuild } from './stages/plan-stages.ts'
import { Stages, type StagesOptions } from './stages/stages.ts'
import type { StepSolver } from './steps/step-context.ts'

export interface BuildRun {
  readonly request: BuildRequest
  readonly progress: BuildProgress
  readonly signal: AbortSignal
}

/** Builds what the target needs, its stages side by side. */
export async function runBuild(context: Context, solver: StepSolver, run: BuildRun): Promise<Outcome> {
  const { request, progress } = run
  await context.storage.space.require('building an image')
  const plan = planBuild(request, request.style)
  using holds = new DisposableStack()
  await using views = new AsyncDisposableStack()
  // What fails in one stage stops the others.
  const abort = new AbortController()
  const signal = AbortSignal.any([run.signal, abort.signal])
  const imports = (await request.imports?.()) ?? []
  const options = { context, solver, progress, request, signal, holds, views, plan, imports }
  const stages = new Stages({ ...options, ...(await defineSteps(options)) })
  try {
    const state = await stages.build()
    const unused = unusedArgs(request.args, stages.declaredArgs)
    if (unused.length > 0) {
      const text = `[Warning] One or more build-args [${unused.join(' ')}] were not consumed`
      progress({ kind: 'warning', text })
    }
    const labelled = request.style === 'classic' ? state : withLabels(state, request.labels)
    return new Outcome(context, labelled, {
      steps: await stages.steps(),
      epochSeconds: sourceDateEpoch(request),
      materials: stages.materials,
    })
  } catch (error) {
    abort.abort(error)
    await stages.settled()
    throw error
  }
}

type Defined = Pick<StagesOptions, 'definitions' | 'definedSteps'>

const undefinedSteps: Defined = { definitions: new Map(), definedSteps: [] }

/** What steps are by definition, where a cache is read or written by that; nothing where it cannot be said beforehand. */
async function defineSteps(options: Omit<StagesOptions, keyof Defined>): Promise<Defined> {
  const { request, plan, imports, signal } = options
  const isWanted = imports.length > 0 || request.exportsCache !== undefined
  const isPossible = request.style === 'buildkit' && request.noCache !== true && plan.needed.length > 1
  if (!isWanted || !isPossible) return undefinedSteps
  const steps: BuildStep[] = []
  const progress = (event: BuildEvent) => void (event.kind === 'started' && steps.push(event.step))
  const stages = new Stages({ ...options, ...undefinedSteps, progress, isDefining: true })
  try {
    await stages.build()
    return { definitions: stages.pass?.definitions ?? new Map(), definedSteps: steps }
  } catch {
    // The build itself says what is wrong.
    await stages.settled()
    signal.throwIfAborted()
    return undefinedSteps
  }
}
