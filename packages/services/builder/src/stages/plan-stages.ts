import { invalid } from '@berth/base'
import { type Dockerfile, findStage, type Stage, type StageInstruction } from '@berth/dockerfile'
import { mountSource } from '../steps/mount-text.ts'

/** The stages that a target needs, in the order of the file. */
export function planStages(dockerfile: Dockerfile, targetName: string): { target: Stage; needed: readonly Stage[] } {
  const target = targetName === '' ? dockerfile.stages.at(-1) : findStage(dockerfile.stages, targetName)
  if (!target) throw invalid(`target stage ${JSON.stringify(targetName)} could not be found`)
  const needed = new Set<Stage>()
  const visit = (stage: Stage): void => {
    if (needed.has(stage)) return
    needed.add(stage)
    for (const name of namesIn(stage)) {
      const other = findStage(dockerfile.stages, name, stage.index)
      if (other) visit(other)
    }
  }
  visit(target)
  return { target, needed: dockerfile.stages.filter((stage) => needed.has(stage)) }
}

/** Names of stages or images that a stage takes from. */
function namesIn(stage: Stage): string[] {
  return [stage.from.base, ...stage.instructions.flatMap(sourcesOf)]
}

function sourcesOf(instruction: StageInstruction): string[] {
  if (instruction.kind === 'copy' && instruction.from !== '') return [instruction.from]
  if (instruction.kind === 'run') return instruction.mounts.flatMap((text) => mountSource(text) ?? [])
  return []
}
