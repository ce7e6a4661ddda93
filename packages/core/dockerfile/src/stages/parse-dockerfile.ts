import { DockerfileError } from '../dockerfile-error.ts'
import { parseInstruction } from '../instructions/parse-instruction.ts'
import type { ArgInstruction, FromInstruction, Instruction, StageInstruction } from '../instructions/types.ts'
import type { Directives } from '../lines/directives.ts'
import { type DockerfileLines, type InstructionLine, parseLines } from '../lines/parse-lines.ts'

/** `FROM` and what follows it, up to the next one. */
export interface Stage {
  readonly index: number
  readonly from: FromInstruction
  readonly instructions: readonly StageInstruction[]
  /** The stage that it stands on; known when the variables of its FROM are. */
  readonly parent?: Stage
}

/** Whose rules a Dockerfile is understood by, where Docker's two builders differ. */
export type BuilderStyle = 'classic' | 'buildkit'

export interface Dockerfile {
  readonly directives: Directives
  /** The ARGs before the first FROM: for FROM lines only. */
  readonly globalArgs: readonly ArgInstruction[]
  readonly stages: readonly Stage[]
  /** Logical lines with an empty line inside of them. */
  readonly emptyContinuations: readonly InstructionLine[]
}

/** Understands a whole Dockerfile; throws `DockerfileError` in Docker's words. */
export function parseDockerfile(source: string): Dockerfile {
  const parsed = parseLines(source)
  return splitDockerfile(parsed, parsed.instructions.map(parseInstruction))
}

/** The stages of instructions that are understood already; throws as `parseDockerfile()`. */
export function splitDockerfile(parsed: DockerfileLines, instructions: readonly Instruction[]): Dockerfile {
  const { directives, instructions: lines, emptyContinuations } = parsed
  const first = instructions.findIndex(({ kind }) => kind !== 'arg')
  const split = first < 0 ? instructions.length : first
  const globalArgs = instructions.slice(0, split) as ArgInstruction[]
  const stages = splitStages(instructions.slice(split))
  if (stages.length === 0) throw new DockerfileError('file with no instructions', lines.at(-1)!.lines)
  return { directives, globalArgs, stages, emptyContinuations }
}

function splitStages(instructions: readonly Instruction[]): Stage[] {
  const stages: { index: number; from: FromInstruction; instructions: StageInstruction[] }[] = []
  for (const instruction of instructions) {
    if (instruction.kind === 'from') {
      stages.push({ index: stages.length, from: instruction, instructions: [] })
      continue
    }
    const stage = stages.at(-1)
    if (!stage) throw new DockerfileError('no build stage in current context', instruction.line.lines)
    stage.instructions.push(instruction)
  }
  return stages
}

/** The stage that a FROM takes `name` for, among those before it: BuildKit wants it in small letters. */
export function stageBefore(earlier: readonly Stage[], name: string, style: BuilderStyle): Stage | undefined {
  const wanted = style === 'classic' ? name.toLowerCase() : name
  return wanted === '' ? undefined : earlier.findLast(({ from }) => from.stageName === wanted)
}

/** The stage that a name or number means, among those before `before`; names are not case sensitive. */
export function findStage(stages: readonly Stage[], name: string, before = stages.length): Stage | undefined {
  const earlier = stages.slice(0, before)
  const lower = name.toLowerCase()
  return (
    earlier.findLast(({ from }) => from.stageName !== '' && from.stageName === lower) ??
    (/^\d+$/.test(name) ? earlier[Number(name)] : undefined)
  )
}
