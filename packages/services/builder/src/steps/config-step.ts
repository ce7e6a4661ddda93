import {
  applyInstruction,
  type ArgInstruction,
  type ConfigInstruction,
  expandPairs,
  expandWords,
  locate,
  type Pair,
} from '@berth/dockerfile'
import { invalid, messageOf } from '@berth/base'
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
  const isBuildkit = stage.build.request.style === 'buildkit'
  const apply = () => applyInstruction(state.draft, instruction, expanding)
  const applied = locate(instruction.line.lines, isBuildkit ? () => inLowerCase(apply) : apply)
  const draft = isBuildkit && instruction.kind === 'cmd' ? withEscapedArgs(applied) : applied
  const pairs = 'pairs' in instruction ? expandPairs(instruction.pairs, expanding) : undefined
  const text = pairs
    ? `${instruction.kind.toUpperCase()} ${pairs.map(([name, value]) => `${name}=${value}`).join(' ')}`
    : !isBuildkit && instruction.kind === 'expose'
      ? `EXPOSE ${instruction.words.flatMap((word) => expandWords(word, expanding)).join(' ')}`
      : describeInstruction(instruction, draft.config, stage.build.request.style)
  if (pairs && instruction.kind === 'env') setVariables(stage, pairs)
  const shell = instruction.kind === 'shell' ? draft.config : state.draft.config
  // BuildKit's history does not tell of it.
  if (isBuildkit && instruction.kind === 'onbuild') return { ...state, draft, isUntouched: false }
  return await emptyStep(stage, planned, { draft, text, shell })
}

/** BuildKit says of ports the same in other letters than the classic builder. */
function inLowerCase<T>(apply: () => T): T {
  try {
    return apply()
  } catch (error) {
    const message = messageOf(error)
    if (!message.startsWith('Invalid ')) throw error
    throw invalid(message.replace('Invalid', 'invalid').replace('ip address', 'IP address'), error)
  }
}

/** As BuildKit marks every image with a CMD. */
const withEscapedArgs = (draft: StageState['draft']): StageState['draft'] => ({
  ...draft,
  config: { ...draft.config, ArgsEscaped: true },
})

function setVariables({ args, build }: StageContext, pairs: readonly Pair[]): void {
  const nameless = pairs.find(([name]) => name === '')
  // BuildKit takes a name that is nothing but unset variables.
  if (nameless && build.request.style === 'classic') throw invalid(`invalid environment variable: =${nameless[1]}`)
  args.hide(pairs.map(([name]) => name))
}

/** ARG: known to the steps that follow, not to the image. */
export async function argStep(
  stage: StageContext,
  planned: PlannedStep,
  instruction: ArgInstruction,
): Promise<StageState> {
  const { draft } = planned.state
  const declared = locate(instruction.line.lines, () => stage.args.declare(instruction, draft.config))
  const isClassic = stage.build.request.style === 'classic'
  const texts = declared.map(({ name, own, value }) => assignment(name, isClassic ? own : value))
  return await emptyStep(stage, planned, { draft, text: `ARG ${texts.join(' ')}`, shell: draft.config })
}

const assignment = (name: string, value: string | undefined): string =>
  value === undefined ? name : `${name}=${value}`

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
  const outcome = await solveStep(stage, planned, { key, isEmpty: true, exec: async () => undefined })
  const createdBy = words.config(text, shell)
  return finishStep(stage, planned, { outcome, createdBy, draft, isEmpty: true })
}

const layerDigests = ({ fileSystem }: StageState): string[] => fileSystem.layers.map(({ diffId }) => diffId)
