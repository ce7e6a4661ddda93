import type { LineRange, Stage, StageInstruction } from '@berth/dockerfile'
import type { BuildStep } from '../builder.ts'

/** The steps of one stage: FROM, then one an instruction, then one a label of the request where it is the target. */
export interface StageSteps {
  readonly from: BuildStep
  readonly instructions: readonly BuildStep[]
  readonly labels: readonly BuildStep[]
}

/** Those that BuildKit counts. */
export const isLayerInstruction = ({ kind }: StageInstruction): boolean =>
  ['run', 'copy', 'add', 'workdir'].includes(kind)

/** Neither on nothing nor on another stage. */
const isOnImage = ({ parent, from }: Stage): boolean => from.base.toLowerCase() !== 'scratch' && parent === undefined

export interface StepLabels {
  /** The LABEL lines of the request. */
  readonly labels: readonly string[]
  /** What stands before the label of an instruction, or of FROM. */
  readonly prefixOf: (stage: Stage, instruction: number | 'from') => string
}

/** Numbers the steps of the needed ones of `stages`. */
export function numberSteps(
  stages: readonly Stage[],
  { needed, target }: { readonly needed: readonly Stage[]; readonly target: Stage },
  { labels, prefixOf }: StepLabels,
): ReadonlyMap<number, StageSteps> {
  const counts = needed.map((stage) => 1 + stage.instructions.length)
  const total = counts.reduce((sum, count) => sum + count, labels.length)
  let number = 0
  return new Map(
    needed.map((stage) => {
      const standsOnImage = isOnImage(stage)
      const layers = Number(standsOnImage) + stage.instructions.filter(isLayerInstruction).length
      let layer = 0
      const step = (text: string, lines: LineRange, counts: boolean, prefix: string): BuildStep => {
        if (counts) layer++
        const label = prefix + labelOf(stage, stages.length, layer, layers)
        return { number: ++number, total, text, stage: stage.index, label, lines, isCounted: counts }
      }
      const { line } = stage.from
      const from = step(line.text, line.lines, standsOnImage, prefixOf(stage, 'from'))
      const instructions = stage.instructions.map((one, i) =>
        step(one.line.text, one.line.lines, isLayerInstruction(one), prefixOf(stage, i)),
      )
      const own = stage === target ? labels.map((text) => step(text, line.lines, false, '')) : []
      return [stage.index, { from, instructions, labels: own }]
    }),
  )
}

function labelOf({ index, from }: Stage, stageCount: number, layer: number, layers: number): string {
  const count = `${String(layer).padStart(String(layers).length)}/${layers}`
  return stageCount === 1 ? count : `${from.stageName || `stage-${index}`} ${count}`
}
