import { invalid } from '@berth/base'
import {
  type BuilderStyle,
  type Dockerfile,
  expandBases,
  findStage,
  globalVariables,
  nearest,
  platformArgs,
  requireSources,
  type Stage,
  type StageInstruction,
} from '@berth/dockerfile'
import { hostPlatform, parsePlatform, type Platform } from '@berth/oci'
import type { BuildRequest } from '../builder.ts'
import { parseOrExplain } from '../parse-failure.ts'
import { mountSource } from '../steps/mount-text.ts'
import { replaceStages } from './named-contexts.ts'

/** What of a request says which stages are built. */
export type StageRequest = Pick<BuildRequest, 'dockerfile' | 'target' | 'contexts' | 'args' | 'platform'>

export interface BuildPlan {
  /** The variables of FROM are expanded in it. */
  readonly dockerfile: Dockerfile
  readonly target: Stage
  /** The stages that the target needs, in the order of the file. */
  readonly needed: readonly Stage[]
  /** Variables of the lines before the first FROM, those of the platform among them. */
  readonly globals: ReadonlyMap<string, string>
  /** Names of those that are the platform's. */
  readonly automatic: ReadonlySet<string>
  readonly platforms: { readonly build: Platform; readonly target: Platform }
}

/** Understands a Dockerfile, and finds what its target needs. Throws `DockerfileError`. */
export function planBuild(request: StageRequest, style: BuilderStyle): BuildPlan {
  const parsed = replaceStages(parseOrExplain(request.dockerfile, style), request.contexts)
  const build = hostPlatform()
  const platforms = { build, target: request.platform === '' ? build : parsePlatform(request.platform) }
  const automatic = platformArgs(platforms.build, platforms.target)
  const globals = globalVariables(parsed.globalArgs, request.args, automatic)
  const dockerfile = expandBases(parsed, globals, style)
  requireSources(dockerfile, style)
  const found = findNeeded(dockerfile, request.target, style)
  return { dockerfile, ...found, globals, automatic: new Set(automatic.keys()), platforms }
}

function findNeeded(
  dockerfile: Dockerfile,
  targetName: string,
  style: BuilderStyle,
): Pick<BuildPlan, 'target' | 'needed'> {
  const target = targetName === '' ? dockerfile.stages.at(-1) : targetStage(dockerfile, targetName, style)
  if (!target) throw unknownTarget(dockerfile, targetName, style)
  const needed = withoutSpared({ dockerfile, target }, () => false)
  return { target, needed: dockerfile.stages.filter((stage) => needed.has(stage)) }
}

/** By its name alone; of several the classic builder ends with the first. */
function targetStage({ stages }: Dockerfile, name: string, style: BuilderStyle): Stage | undefined {
  const isIt = ({ from }: Stage) => from.stageName !== '' && from.stageName === name.toLowerCase()
  return style === 'classic' ? stages.find(isIt) : stages.findLast(isIt)
}

function unknownTarget({ stages }: Dockerfile, name: string, style: BuilderStyle): Error {
  const names = stages.map(({ from }) => from.stageName).filter(Boolean)
  const meant = style === 'buildkit' ? nearest(name, names) : undefined
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`
  return invalid(`target stage ${JSON.stringify(name)} could not be found${hint}`)
}

/** The needed stages, but for those that only spared instructions take from. */
export function withoutSpared(
  { dockerfile, target }: Pick<BuildPlan, 'dockerfile' | 'target'>,
  isSpared: (stage: Stage, instruction: number) => boolean,
): ReadonlySet<Stage> {
  const needed = new Set<Stage>()
  const visit = (stage: Stage): void => {
    if (needed.has(stage)) return
    needed.add(stage)
    if (stage.parent) visit(stage.parent)
    for (const [i, instruction] of stage.instructions.entries()) {
      const names = sourcesOf(instruction)
      if (names.length === 0 || isSpared(stage, i)) continue
      for (const name of names) {
        const other = findStage(dockerfile.stages, name, stage.index)
        if (other) visit(other)
      }
    }
  }
  visit(target)
  return needed
}

/** Names of stages or images that an instruction takes from. */
function sourcesOf(instruction: StageInstruction): string[] {
  if (instruction.kind === 'copy' && instruction.from !== '') return [instruction.from]
  if (instruction.kind === 'run') return instruction.mounts.flatMap((text) => mountSource(text) ?? [])
  return []
}
