import {
  applyInstruction,
  type ArgInstruction,
  type ConfigInstruction,
  expandWord,
  locate,
  type Pair,
} from '@berth/dockerfile'
import { describeInstruction } from '../stages/history.ts'
import { digestOf, type StageState } from '../stages/stage-state.ts'
import { finishStep } from './finish-step.ts'
import { solveStep } from './solve-step.ts'
import type { PlannedStep, StageContext } from './step-context.ts'

/** ENV, LABEL, CMD and the others that change the configuration only. */
export async function configStep(
  stage: StageContext,
  planned: PlannedStep,
  instruction: ConfigInstruction,
): Promise<StageState> {
  const { state } = planned
  const expanding = stage.args.expanding(state.draft.config, instruction.line.escape)
  const applied = locate(instruction.line.lines, () => applyInstruction(state.draft, instruction, expanding))
  const isBuildkit = stage.build.request.style === 'buildkit'
  const draft = isBuildkit && instruction.kind === 'cmd' ? withEscapedArgs(applied) : applied
  const text =
    instruction.kind === 'env' || instruction.kind === 'label'
      ? `${instruction.kind.toUpperCase()} ${pairsText(instruction.pairs, (word) => expandWord(word, expanding))}`
      : describeInstruction(instruction, draft.config, stage.build.request.style)
  const shell = instruction.kind === 'shell' ? draft.config : state.draft.config
  // BuildKit's history does not tell of it.
  if (isBuildkit && instruction.kind === 'onbuild') return { ...state, draft, isUntouched: false }
  return await emptyStep(stage, planned, { draft, text, shell })
}

/** As BuildKit marks every image with a CMD. */
const withEscapedArgs = (draft: StageState['draft']): StageState['draft'] => ({
  ...draft,
  config: { ...draft.config, ArgsEscaped: true },
})

const pairsText = (pairs: readonly Pair[], expand: (word: string) => string): string =>
  pairs.map(([name, value]) => `${expand(name)}=${expand(value)}`).join(' ')

/** ARG: known to the steps that follow, not to the image. */
export async function argStep(
  stage: StageContext,
  planned: PlannedStep,
  instruction: ArgInstruction,
): Promise<StageState> {
  const { draft } = planned.state
  const declared = locate(instruction.line.lines, () => stage.args.declare(instruction, draft.config))
  // The classic builder's history has it as it is written.
  const text = stage.build.request.style === 'classic' ? instruction.line.rest : declared
  return await emptyStep(stage, planned, { draft, text: `ARG ${text}`, shell: draft.config })
}

interface EmptyStep {
  readonly draft: StageState['draft']
  /** What the history says of it. */
  readonly text: string
  /** Whose shell the history names. */
  readonly shell: StageState['draft']['config']
}

/** A step that makes no layer; it is remembered all the same, for the time that it was first done. */
export async function emptyStep(
  stage: StageContext,
  planned: PlannedStep,
  { draft, text, shell }: EmptyStep,
): Promise<StageState> {
  const { state } = planned
  const { words, request } = stage.build
  const history = state.history.map(({ created_by }) => created_by ?? '')
  const key = digestOf('config', request.style, state.baseId, ...layerDigests(state), ...history, text)
  const outcome = await solveStep(stage, planned, { key, exec: async () => undefined })
  const createdBy = words.config(text, shell)
  return finishStep(stage, planned, { outcome, createdBy, draft, isEmpty: true })
}

const layerDigests = ({ fileSystem }: StageState): string[] => fileSystem.layers.map(({ diffId }) => diffId)
