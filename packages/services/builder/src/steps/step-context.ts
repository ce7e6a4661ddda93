import type { Stage } from '@berth/dockerfile'
import type { ImageLayer } from '@berth/images'
import type { Platform } from '@berth/oci'
import type { BuildProgress, BuildRequest, BuildStep, Material } from '../builder.ts'
import type { CacheSource } from '../cache/transfer/cache-store.ts'
import type { Solver } from '../cache/solver.ts'
import type { Context } from '../context.ts'
import type { DefinitionPass, Definitions } from '../stages/definitions.ts'
import type { HistoryWords } from '../stages/history.ts'
import type { StageState } from '../stages/stage-state.ts'
import type { StageArgs } from '@berth/dockerfile'

/** What a step made, and when. */
export interface StepOutcome {
  readonly layer: ImageLayer | undefined
  readonly createdAt: string
}

/** What happens while a step is done. */
export type StepEvent =
  | { readonly kind: 'running'; readonly containerId: string }
  | { readonly kind: 'output'; readonly stream: 1 | 2; readonly bytes: Buffer }

export type StepSolver = Solver<StepOutcome, StepEvent>

/** One build, as its stages see it. */
export interface BuildContext {
  readonly context: Context
  readonly request: BuildRequest
  readonly solver: StepSolver
  readonly progress: BuildProgress
  readonly signal: AbortSignal
  readonly words: HistoryWords
  readonly platforms: { readonly build: Platform; readonly target: Platform }
  /** A stage by name or number, or an image; mounted for as long as the build takes. */
  sourceRoot(name: string, before: Stage): Promise<string>
  /** What history and image say when they were made; undefined: when they were. */
  readonly epochSeconds: number | undefined
  /** Set while steps are only defined. */
  readonly pass: DefinitionPass | undefined
  readonly definitions: Definitions
  /** Caches from elsewhere, the first first. */
  readonly imports: readonly CacheSource[]
  /** Images that were taken from, by name and platform. */
  readonly materials: Map<string, Material>
  /** Keeps what the build relies on in the cache. */
  readonly holds: DisposableStack
}

/** One stage, as its steps see it. */
export interface StageContext {
  readonly build: BuildContext
  readonly stage: Stage
  readonly args: StageArgs
}

/** A step to be done on a state. */
export interface PlannedStep {
  readonly step: BuildStep
  readonly state: StageState
}
