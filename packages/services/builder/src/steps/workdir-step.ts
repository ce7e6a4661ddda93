import { applyInstruction, expandWord, locate, type WorkdirInstruction } from '@berth/dockerfile'
import { changeFileSystem } from '../exec/writable.ts'
import { chainOf } from '../filesystem.ts'
import { digestOf, type StageState } from '../stages/stage-state.ts'
import { explainingDirectory } from './explain-directory.ts'
import { finishStep } from './finish-step.ts'
import { resolveOwner } from './owner.ts'
import { solveStep } from './solve-step.ts'
import type { PlannedStep, StageContext } from './step-context.ts'

/** WORKDIR: the directory is made where it is missing. BuildKit gives it to the image's user, the classic builder to root. */
export async function workdirStep(
  stage: StageContext,
  planned: PlannedStep,
  instruction: WorkdirInstruction,
): Promise<StageState> {
  const { state } = planned
  const { build, args } = stage
  const { config } = state.draft
  const expanding = args.expanding(config, instruction.line.escape)
  const [applied, written] = locate(instruction.line.lines, () => [
    applyInstruction(state.draft, instruction, expanding),
    expandWord(instruction.path, expanding),
  ])
  const path = applied.config.WorkingDir as string
  // BuildKit keeps an absolute path as it is written.
  const shown = build.request.style === 'buildkit' && written.startsWith('/') ? written : path
  const draft = { ...applied, config: { ...applied.config, WorkingDir: shown } }
  const user = build.request.style === 'buildkit' ? (config.User ?? '') : ''
  const key = digestOf('workdir', chainOf(state.fileSystem) ?? '', path, user)
  const exec = () =>
    changeFileSystem(build.context, state.fileSystem, async ({ rootPath }) => {
      const owner = user === '' ? { uid: 0, gid: 0 } : resolveOwner(user, rootPath, build.request.style)
      const isClassic = build.request.style === 'classic'
      await explainingDirectory(
        () => build.context.storage.trees.makeDirectory({ root: rootPath, path, owner }),
        (at) => (isClassic ? `Cannot mkdir: ${at} is not a directory` : `mkdir ${at}: not a directory`),
      )
    })
  const outcome = await solveStep(stage, planned, { key, exec })
  return finishStep(stage, planned, { outcome, createdBy: build.words.workdir(shown, config), draft, isEmpty: false })
}
