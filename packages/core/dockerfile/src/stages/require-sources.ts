import { invalid } from '@berth/base'
import { locate } from '../dockerfile-error.ts'
import { type BuilderStyle, type Dockerfile, type Stage } from './parse-dockerfile.ts'

/** Refuses what no `COPY --from` can mean: a stage to come, itself, a number that none has. In Docker's words. */
export function requireSources({ stages }: Dockerfile, style: BuilderStyle): void {
  const check = style === 'classic' ? requireNumber : requireStage
  for (const stage of stages) {
    for (const instruction of stage.instructions) {
      if (instruction.kind !== 'copy' || instruction.from === '') continue
      locate(instruction.line.lines, () => check(stages, stage, instruction.from))
    }
  }
}

const isNumber = (name: string): boolean => /^\d+$/.test(name)

function requireNumber(_: readonly Stage[], { index }: Stage, name: string): void {
  if (isNumber(name) && Number(name) >= index) throw invalid(`invalid from flag value ${name}: index out of bounds`)
}

function requireStage(stages: readonly Stage[], { index, from }: Stage, name: string): void {
  if (isNumber(name) && Number(name) >= stages.length) throw invalid(`invalid stage index ${name}`)
  const others = isNumber(name) ? stages.slice(Number(name)) : stages.filter((one) => isNamed(one, name))
  if (others.length === 0 || others.some((one) => one.index < index)) return
  if (others[0]?.index === index) throw invalid(`circular dependency detected on stage: ${from.stageName || index}`)
  const stage = JSON.stringify(from.stageName || `stage-${index}`)
  throw invalid(`cannot copy from stage ${JSON.stringify(name)}, it needs to be defined before current stage ${stage}`)
}

const isNamed = ({ from }: Stage, name: string): boolean =>
  from.stageName !== '' && from.stageName === name.toLowerCase()
