import { findStage, type Stage, StageArgs } from '@berth/dockerfile'
import type { Digest } from '@berth/oci'
import type { BuildProgress, BuildRequest, BuildStep, Material } from '../builder.ts'
import { isCachedHere } from '../cache/build-cache.ts'
import type { Context } from '../context.ts'
import { viewFileSystem } from '../exec/writable.ts'
import { sourceDateEpoch } from '../export/source-date-epoch.ts'
import { chainOf, type FileSystem } from '../filesystem.ts'
import type { BuildContext, StepSolver } from '../steps/step-context.ts'
import { baseState } from './base-state.ts'
import { buildStage, sortedLabels } from './build-stage.ts'
import { DefinitionPass, type Definitions } from './definitions.ts'
import { historyWords } from './history.ts'
import { findContext } from './named-contexts.ts'
import { numberSteps } from './number-steps.ts'
import { platformPrefix } from './platform-prefix.ts'
import { type BuildPlan, withoutSpared } from './plan-stages.ts'
import { shownText } from './shown-text.ts'
import { digestOf, type DoneStep, type StageState } from './stage-state.ts'

export interface StagesOptions {
  readonly context: Context
  readonly solver: StepSolver
  readonly progress: BuildProgress
  readonly request: BuildRequest
  readonly signal: AbortSignal
  readonly holds: DisposableStack
  readonly views: AsyncDisposableStack
  readonly plan: BuildPlan
  readonly imports: BuildContext['imports']
  readonly definitions: Definitions
  /** As they are shown; those of spared stages are told as cached. */
  readonly definedSteps: readonly BuildStep[]
  /** Define them only. */
  readonly isDefining?: boolean
}

/** The stages of one build, each built once. */
export class Stages {
  readonly #options: StagesOptions
  readonly #build: BuildContext
  /** Of the needed stages, by their indices. */
  readonly #steps: ReturnType<typeof numberSteps>
  readonly #running = new Map<number, Promise<StageState>>()
  readonly #args = new Map<number, StageArgs>()
  readonly #roots = new Map<string, Promise<string>>()
  readonly declaredArgs = new Set<string>()
  readonly pass: DefinitionPass | undefined

  constructor(options: StagesOptions) {
    const { context, request, solver, progress, signal, holds, plan, imports } = options
    this.#options = options
    const labels = request.style === 'classic' ? labelTexts(request.labels) : []
    const prefixOf = request.tellsPlatform ? platformPrefix(plan.platforms.target) : () => ''
    this.#steps = numberSteps(plan.dockerfile.stages, plan, { labels, prefixOf })
    for (const { name } of plan.dockerfile.globalArgs.flatMap(({ args }) => args)) this.declaredArgs.add(name)
    for (const name of plan.automatic) this.declaredArgs.add(name)
    this.pass = options.isDefining ? new DefinitionPass((name, before) => this.#stageKey(name, before)) : undefined
    this.#build = {
      context,
      request,
      solver,
      progress,
      signal,
      words: historyWords(request.style),
      platforms: plan.platforms,
      imports,
      materials: new Map(),
      pass: this.pass,
      definitions: options.definitions,
      epochSeconds: sourceDateEpoch(request),
      holds,
      sourceRoot: (name, before) => this.#sourceRoot(name, before),
    }
  }

  async build(): Promise<StageState> {
    const { plan } = this.#options
    const { target } = plan
    const needed = withoutSpared(plan, (stage, step) => this.#isSpared(stage, step))
    for (const stage of plan.needed) if (!needed.has(stage)) this.#spare(stage)
    const all = [...needed].map((stage) => this.#stage(stage))
    for (const one of all) one.catch(() => {})
    // The first failure is told, whichever stage it is in.
    await Promise.all(all)
    return await this.#stage(target)
  }

  /** Nothing of the stage is done, for what is taken from it is known. */
  #spare({ index, instructions }: Stage): void {
    const { progress, definedSteps } = this.#options
    for (const step of definedSteps.filter(({ stage }) => stage === index)) {
      progress({ kind: 'started', step })
      progress({ kind: 'ended', step, isCached: !/^from\s/i.test(step.text), imageId: () => '' })
    }
    for (const one of instructions) if (one.kind === 'arg') one.args.forEach(({ name }) => this.declaredArgs.add(name))
  }

  /** Whether an instruction's outcome is known without the stages that it takes from. */
  #isSpared(stage: Stage, instruction: number): boolean {
    const { context, definitions, imports, request } = this.#options
    if (definitions.size === 0 || imports.length === 0 || request.exportsCache === 'max') return false
    const step = this.#steps.get(stage.index)?.instructions[instruction]
    const key = step && definitions.get(step.number)
    return key !== undefined && (isCachedHere(context, key) || imports.some(({ steps }) => steps.has(key)))
  }

  async #stageKey(name: string, before: Stage): Promise<Digest | undefined> {
    const stage = findStage(this.#options.plan.dockerfile.stages, name, before.index)
    if (!stage) return undefined
    const { fileSystem, baseId } = await this.#stage(stage)
    return digestOf('stage', chainOf(fileSystem) ?? '', baseId)
  }

  /** The images that were taken from. */
  get materials(): readonly Material[] {
    return [...this.#build.materials.values()]
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
    const steps = this.#steps.get(stage.index)
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
    // An ENTRYPOINT of this stage resets the CMD of that one.
    return { ...state, draft: { ...state.draft, isCmdSet: false } }
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
