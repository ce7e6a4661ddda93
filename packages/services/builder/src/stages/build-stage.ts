import {
  DockerfileError,
  isPlainWord,
  locate,
  parseInstruction,
  parseLine,
  type StageInstruction,
} from '@berth/dockerfile'
import { argStep, configStep, emptyStep } from '../steps/config-step.ts'
import { copyStep } from '../steps/copy-step.ts'
import { stateId } from '../steps/finish-step.ts'
import { runStep } from '../steps/run-step.ts'
import type { StageContext } from '../steps/step-context.ts'
import { workdirStep } from '../steps/workdir-step.ts'
import type { BuildStep } from '../builder.ts'
import { isLayerInstruction, type StageSteps } from './number-steps.ts'
import { shownDocument, shownText } from './shown-text.ts'
import type { StageState } from './stage-state.ts'

/** Does the steps of a stage one after the other, from its base on. */
export async function buildStage(
  context: StageContext,
  steps: StageSteps,
  base: () => Promise<StageState>,
): Promise<StageState> {
  const { progress, request } = context.build
  progress({ kind: 'started', step: steps.from })
  const begun = await telling(context, steps.from, async () => begin(await base()))
  progress({ kind: 'ended', step: steps.from, isCached: false, imageId: () => stateId(begun) })
  let state = await runTriggers(context, steps.from, begun)
  for (const [i, instruction] of context.stage.instructions.entries()) {
    state = await doStep(context, steps.instructions[i] as BuildStep, state, instruction)
  }
  for (const [i, step] of steps.labels.entries()) {
    const label = sortedLabels(request.labels)[i]
    if (label) state = await labelStep(context, step, state, label)
  }
  return state
}

/** Notes what the stage stands on. */
function begin(base: StageState): StageState {
  const { fileSystem, history } = base
  const isScratch = fileSystem.layers.length === 0 && history.length === 0
  const imageId = isScratch ? '' : stateId(base)
  return { ...base, begun: { imageId, layers: fileSystem.layers.length, history: history.length } }
}

/** A state with labels that are no steps. */
export function withLabels(state: StageState, labels: Readonly<Record<string, string>>): StageState {
  if (Object.keys(labels).length === 0) return state
  const { config } = state.draft
  const Labels = Object.fromEntries([...Object.entries(config.Labels ?? {}), ...sortedLabels(labels)])
  return { ...state, draft: { ...state.draft, config: { ...config, Labels } }, isUntouched: false }
}

async function doStep(
  context: StageContext,
  step: BuildStep,
  state: StageState,
  instruction: StageInstruction,
): Promise<StageState> {
  context.build.signal.throwIfAborted()
  const shown = shownStep(context, step, state, instruction)
  if (!startsLater(context, instruction)) context.build.progress({ kind: 'started', step: shown })
  return await telling(context, shown, () => applyStep(context, shown, state, instruction))
}

/** As BuildKit tells it, a copy begins when all that it takes from is there: the step itself says so. */
const startsLater = ({ build }: StageContext, { kind }: StageInstruction): boolean =>
  build.request.style === 'buildkit' && (kind === 'copy' || kind === 'add')

function shownStep({ args, build }: StageContext, step: BuildStep, state: StageState, instruction: StageInstruction) {
  if (build.request.style === 'classic') return step
  const { escape } = instruction.line
  const isPlain = isPlainWord(step.text, escape)
  const text = isPlain ? step.text : shownText(step.text, args.expanding(state.draft.config, escape))
  return { ...step, text: text + shownDocument(instruction) }
}

/** Does a step, and tells of its failure. */
async function telling<T>({ build }: StageContext, step: BuildStep, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    build.progress({ kind: 'failed', step, error })
    throw error
  }
}

async function applyStep(
  context: StageContext,
  step: BuildStep,
  state: StageState,
  instruction: StageInstruction,
): Promise<StageState> {
  const planned = { step, state }
  switch (instruction.kind) {
    case 'arg':
      return await argStep(context, planned, instruction)
    case 'run':
      return await runStep(context, planned, instruction)
    case 'copy':
    case 'add':
      return await copyStep(context, planned, instruction)
    case 'workdir':
      return await workdirStep(context, planned, instruction)
    default:
      return await configStep(context, planned, instruction)
  }
}

/** What the base's ONBUILD left for those who build on it; the image that comes of it has it no more. */
async function runTriggers(context: StageContext, step: BuildStep, base: StageState): Promise<StageState> {
  const triggers = base.draft.config.OnBuild ?? []
  if (triggers.length === 0) return base
  const { OnBuild: _, ...config } = base.draft.config
  let state: StageState = { ...base, draft: { ...base.draft, config } }
  for (const text of triggers) {
    const instruction = locate(context.stage.from.line.lines, () => parseInstruction(parseLine(text)))
    if (instruction.kind === 'from' || instruction.kind === 'onbuild' || instruction.kind === 'maintainer') {
      throw new DockerfileError(
        `${instruction.kind.toUpperCase()} isn't allowed as an ONBUILD trigger`,
        context.stage.from.line.lines,
      )
    }
    state = await doStep(context, { ...step, text, isCounted: isLayerInstruction(instruction) }, state, instruction)
  }
  return state
}

/** The labels of a request in the order of their steps. */
export const sortedLabels = (labels: Readonly<Record<string, string>>): (readonly [string, string])[] =>
  Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))

async function labelStep(
  context: StageContext,
  step: BuildStep,
  state: StageState,
  label: readonly [string, string],
): Promise<StageState> {
  context.build.progress({ kind: 'started', step })
  const { config } = state.draft
  // fromEntries defines own properties: a label `__proto__` stays one.
  const Labels = Object.fromEntries([...Object.entries(config.Labels ?? {}), label])
  const draft = { ...state.draft, config: { ...config, Labels } }
  return await emptyStep(context, { step, state }, { draft, text: step.text, shell: config })
}
