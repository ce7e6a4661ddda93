import { findStage, type Stage, StageArgs, unusedArgs } from '@berth/dockerfile'
import type { BuildProgress, BuildRequest } from './builder.ts'
import type { Context } from './context.ts'
import { viewFileSystem } from './exec/writable.ts'
import type { FileSystem } from './filesystem.ts'
import { Outcome } from './outcome.ts'
import { baseState } from './stages/base-state.ts'
import { buildStage, sortedLabels, withLabels } from './stages/build-stage.ts'
import { historyWords } from './stages/history.ts'
import { sourceDateEpoch } from './export/source-date-epoch.ts'
import { findContext } from './stages/named-contexts.ts'
import { numberSteps } from './stages/number-steps.ts'
import { type BuildPlan, planBuild } from './stages/plan-stages.ts'
import { shownText } from './stages/shown-text.ts'
import type { DoneStep, StageState } from './stages/stage-state.ts'
import type { BuildContext, StepSolver } from './steps/step-context.ts'

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
  holds.defer(() => context.cache.flush())
  await using views = new AsyncDisposableStack()
  // What fails in one stage stops the others.
  const abort = new AbortController()
  const signal = AbortSignal.any([run.signal, abort.signal])
  const imports = (await request.imports?.()) ?? []
  const stages = new Stages({ context, solver, progress, request, signal, holds, views, plan, imports })
  try {
    const state = await stages.build()
    const unused = unusedArgs(request.args, stages.declaredArgs)
    if (unused.length > 0) {
      const text = `[Warning] One or more build-args [${unused.join(' ')}] were not consumed`
      progress({ kind: 'warning', text })
    }
    const labelled = request.style === 'classic' ? state : withLabels(state, request.labels)
    return new Outcome(context, labelled, { steps: await stages.steps(), epochSeconds: sourceDateEpoch(request) })
  } catch (error) {
    abort.abort(error)
    await stages.settled()
    throw error
  }
}

interface StagesOptions {
  readonly context: Context
  readonly solver: StepSolver
  readonly progress: BuildProgress
  readonly request: BuildRequest
  readonly signal: AbortSignal
  readonly holds: DisposableStack
  readonly views: AsyncDisposableStack
  readonly plan: BuildPlan
  readonly imports: BuildContext['imports']
}

/** The stages of one build, each built once. */
class Stages {
  readonly #options: StagesOptions
  readonly #build: BuildContext
  readonly #running = new Map<number, Promise<StageState>>()
  readonly #args = new Map<number, StageArgs>()
  readonly #roots = new Map<string, Promise<string>>()
  readonly declaredArgs = new Set<string>()

  constructor(options: StagesOptions) {
    const { context, request, solver, progress, signal, holds, plan, imports } = options
    this.#options = options
    for (const { name } of plan.dockerfile.globalArgs.flatMap(({ args }) => args)) this.declaredArgs.add(name)
    for (const name of plan.automatic) this.declaredArgs.add(name)
    this.#build = {
      context,
      request,
      solver,
      progress,
      signal,
      words: historyWords(request.style),
      platforms: plan.platforms,
      imports,
      epochSeconds: sourceDateEpoch(request),
      holds,
      sourceRoot: (name, before) => this.#sourceRoot(name, before),
    }
  }

  async build(): Promise<StageState> {
    const { needed, target } = this.#options.plan
    const all = needed.map((stage) => this.#stage(stage))
    for (const one of all) one.catch(() => {})
    // The first failure is told, whichever stage it is in.
    await Promise.all(all)
    return await this.#stage(target)
  }

  /** All that was done, each step once. */
  async steps(): Promise<DoneStep[]> {
    const states = await Promise.all(this.#running.values())
    return [...new Map(states.flatMap(({ steps }) => steps).map((step) => [step.key, step])).values()]
  }

  /** Resolves when nothing of the build is under way any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running.values())
  }

  #stage(stage: Stage): Promise<StageState> {
    const running = this.#running.get(stage.index) ?? this.#begin(stage)
    this.#running.set(stage.index, running)
    return running
  }

  #begin(stage: Stage): Promise<StageState> {
    const { request, plan } = this.#options
    const { globals } = plan
    const labels = request.style === 'classic' ? labelTexts(request.labels) : []
    const steps = numberSteps(plan.dockerfile.stages, plan, labels).get(stage.index)
    if (!steps) throw new Error(`stage ${stage.index} is not needed`)
    const args = new StageArgs(request.args, globals, request.style)
    this.#args.set(stage.index, args)
    const { from } = steps
    const text = request.style === 'classic' ? from.text : shownText(from.text, { environment: globals })
    const shown = { ...steps, from: { ...from, text } }
    const built = buildStage({ build: this.#build, stage, args }, shown, () => this.#base(stage, args))
    return built.finally(() => args.used.forEach((name) => this.declaredArgs.add(name)))
  }

  async #base({ from, parent }: Stage, args: StageArgs): Promise<StageState> {
    if (!parent) return await baseState(this.#build, from)
    const state = await this.#stage(parent)
    args.inherit(this.#args.get(parent.index) as StageArgs)
    return state
  }

  /** Mounts a stage, or an image, for the rest of the build. */
  #sourceRoot(name: string, before: Stage): Promise<string> {
    const { dockerfile } = this.#options.plan
    const stage = findStage(dockerfile.stages, name, before.index)
    const key = stage ? String(stage.index) : `image ${name}`
    const root = this.#roots.get(key) ?? this.#mount(stage, name)
    this.#roots.set(key, root)
    return root
  }

  async #mount(stage: Stage | undefined, name: string): Promise<string> {
    const { context, views, request } = this.#options
    const named = stage ? undefined : findContext(request.contexts, name, this.#build.platforms.target)
    if (named?.kind === 'directory') return await named.directory()
    const fileSystem = stage ? (await this.#stage(stage)).fileSystem : await this.#imageFiles(name)
    return views.use(await viewFileSystem(context, fileSystem)).rootPath
  }

  async #imageFiles(name: string): Promise<FileSystem> {
    return (await baseState(this.#build, { base: name, platform: '' })).fileSystem
  }
}

/** The labels of the request as lines of the Dockerfile, sorted. */
const labelTexts = (labels: Readonly<Record<string, string>>): string[] =>
  sortedLabels(labels).map(([name, value]) => `LABEL ${name}=${value}`)
