import { invalid, messageOf } from '@berth/base'
import { parseReference } from '@berth/oci'
import { DockerfileError, locate } from '../dockerfile-error.ts'
import { nearest } from '../instructions/closest.ts'
import type { FromInstruction } from '../instructions/types.ts'
import { type Expanding, expandWord } from '../words/expand-word.ts'
import { type BuilderStyle, type Dockerfile, stageBefore, type Stage } from './parse-dockerfile.ts'

export type GlobalScope = Pick<Expanding, 'environment' | 'onUnset'>

/** The image or stage that a FROM names, its variables expanded. Throws `invalid` in Docker's words. */
export function expandBase({ base, line }: FromInstruction, scope: GlobalScope): string {
  const name = expandWord(base, { ...scope, escape: line.escape })
  if (name === '') throw invalid(`base name (${base}) should not be blank`)
  return name
}

/** The platform of a FROM, '' without one; `names` are those of all variables. Throws as `expandBase()`. */
export function expandPlatform(
  { platform, line }: FromInstruction,
  scope: GlobalScope,
  names: Iterable<string>,
): string {
  if (platform === '') return ''
  const text = expandWord(platform, { ...scope, escape: line.escape })
  if (text !== '') return text
  const meant = nearest(platform.replaceAll(/[${}]/g, ''), names)
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`
  throw invalid(`empty platform value from expression ${platform}${hint}`)
}

/** The stages with the variables of their FROM expanded, and with the stages that they stand on. */
export function expandBases(
  dockerfile: Dockerfile,
  environment: ReadonlyMap<string, string>,
  style: BuilderStyle,
): Dockerfile {
  const stages: Stage[] = []
  for (const { from, index, instructions } of dockerfile.stages) {
    const [base, platform] = locate(from.line.lines, () => [
      expandBase(from, { environment }),
      expandPlatform(from, { environment }, environment.keys()),
    ])
    const parent = stageBefore(stages, base, style)
    stages.push({ index, from: { ...from, base, platform }, instructions, ...(parent && { parent }) })
  }
  if (style === 'buildkit') for (const { from, parent } of stages) if (!parent) requireReference(from)
  return { ...dockerfile, stages }
}

/** What is no stage has to be an image's name. Throws `DockerfileError` in BuildKit's words. */
export function requireReference({ base, line }: Pick<FromInstruction, 'base' | 'line'>): void {
  try {
    parseReference(base)
  } catch (error) {
    const message = `failed to parse stage name ${JSON.stringify(base)}: ${messageOf(error)}`
    throw new DockerfileError(message, line.lines, error)
  }
}
