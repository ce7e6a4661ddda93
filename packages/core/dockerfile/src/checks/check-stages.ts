import { parseReference } from '@berth/oci'
import { locate } from '../dockerfile-error.ts'
import { nearest } from '../instructions/closest.ts'
import type { FromInstruction } from '../instructions/types.ts'
import type { InstructionLine } from '../lines/parse-lines.ts'
import { expandBase, expandPlatform, type GlobalScope, requireReference } from '../stages/expand-bases.ts'
import { type Dockerfile, stageBefore, type Stage } from '../stages/parse-dockerfile.ts'
import { expandWord } from '../words/expand-word.ts'
import type { Report } from './report.ts'

const reservedNames: readonly string[] = ['scratch', 'context']

/** Names of stages that mean two things. */
export function checkStageNames(report: Report, stages: readonly Stage[]): void {
  const seen = new Set<string>()
  for (const { from } of stages) {
    const { stageName: name, line } = from
    if (name === '') continue
    if (reservedNames.includes(name)) {
      const detail = `Stage name should not use the same name as reserved stage ${JSON.stringify(name)}`
      report.warn('ReservedStageName', line.lines, detail)
    }
    if (seen.has(name)) {
      const detail = `Duplicate stage name ${JSON.stringify(name)}, stage names should be unique`
      report.warn('DuplicateStageName', line.lines, detail)
    }
    seen.add(name)
  }
}

/** All instructions of the stages are written as most of them are; in doubt in capitals. */
export function checkCasing(report: Report, stages: readonly Stage[]): void {
  const lines = stages.flatMap(({ from, instructions }) => [from.line, ...instructions.map(({ line }) => line)])
  const count = (isRight: (line: InstructionLine) => boolean) => lines.filter(isRight).length
  const isLower = ({ name }: InstructionLine) => name === name.toLowerCase()
  const isUpper = ({ name }: InstructionLine) => name === name.toUpperCase()
  const [isRight, casing] = count(isLower) > count(isUpper) ? [isLower, 'lowercase'] : [isUpper, 'uppercase']
  for (const line of lines.filter((one) => !isRight(one))) {
    const detail = `Command '${line.name}' should match the case of the command majority (${casing})`
    report.warn('ConsistentInstructionCasing', line.lines, detail)
  }
}

/** Variables of the lines before the first FROM. */
export interface GlobalVariables {
  /** With the values that the request gives. */
  readonly given: ReadonlyMap<string, string>
  /** With their defaults alone. */
  readonly defaults: ReadonlyMap<string, string>
  /** All that are declared, those of the platform among them. */
  readonly names: ReadonlySet<string>
}

/** Base images make sense also when nobody gives an argument. */
export function checkDefaultBases(report: Report, stages: readonly Stage[], { defaults }: GlobalVariables): void {
  for (const { from } of stages) {
    const name = expandQuietly(from, defaults)
    if (name !== undefined && isReference(name)) continue
    const detail = `Default value for ARG ${from.base} results in empty or invalid base image name`
    report.warn('InvalidDefaultArgInFrom', from.line.lines, detail)
  }
}

function expandQuietly({ base, line }: FromInstruction, environment: ReadonlyMap<string, string>): string | undefined {
  try {
    return expandWord(base, { environment, escape: line.escape })
  } catch {
    return undefined
  }
}

function isReference(name: string): boolean {
  try {
    parseReference(name)
    return name !== ''
  } catch {
    return false
  }
}

/** A FROM with its variables expanded. */
export interface CheckedBase {
  readonly name: string
  readonly platform: string
}

/** The variables and the platform of each FROM; throws what would fail the build. */
export function checkFroms(report: Report, { stages }: Dockerfile, globals: GlobalVariables): CheckedBase[] {
  const bases = stages.map(({ from }) =>
    locate(from.line.lines, () => {
      const name = tellingUnset(report, from, globals, (scope) => expandBase(from, scope))
      return { name, platform: from.platform === '' ? '' : checkPlatform(report, from, globals) }
    }),
  )
  for (const [i, { name }] of bases.entries()) {
    const { from, index } = stages[i] as Stage
    if (!stageBefore(stages.slice(0, index), name, 'buildkit')) requireReference({ base: name, line: from.line })
  }
  return bases
}

/** Expands a word of a FROM; tells of variables that nobody has declared. */
function tellingUnset(
  report: Report,
  { line }: FromInstruction,
  globals: GlobalVariables,
  expand: (scope: GlobalScope) => string,
): string {
  const unset = new Set<string>()
  try {
    return expand({ environment: globals.given, onUnset: (name) => unset.add(name) })
  } finally {
    for (const name of unset) {
      if (globals.names.has(name)) continue
      const meant = nearest(name, globals.names)
      const detail = `FROM argument '${name}' is not declared${meant === undefined ? '' : ` (did you mean ${meant}?)`}`
      report.warn('UndefinedArgInFrom', line.lines, detail)
    }
  }
}

function checkPlatform(report: Report, from: FromInstruction, globals: GlobalVariables): string {
  const { platform: written, line, stageName } = from
  if (/^\$(?:TARGETPLATFORM|\{TARGETPLATFORM\})$/.test(written)) {
    const detail = `Setting platform to predefined ${written} in FROM is redundant as this is the default behavior`
    report.warn('RedundantTargetPlatform', line.lines, detail)
  }
  const parts = written.split('/').slice(0, 2)
  if (!written.includes('$') && !parts.some((part) => stageName.includes(part))) {
    const detail = `FROM --platform flag should not use constant value ${JSON.stringify(written)}`
    report.warn('FromPlatformFlagConstDisallowed', line.lines, detail)
  }
  return tellingUnset(report, from, globals, (scope) => expandPlatform(from, scope, globals.names))
}
