import { messageOf } from '@berth/base'
import type { ImageRunConfig } from '@berth/oci'
import { DockerfileError, type LineRange, locate } from '../dockerfile-error.ts'
import { type IgnoreRules, ignoreRules } from '../ignore.ts'
import { parseInstruction } from '../instructions/parse-instruction.ts'
import type { Instruction } from '../instructions/types.ts'
import { type DockerfileLines, type InstructionLine, parseLines } from '../lines/parse-lines.ts'
import { explainFailure } from '../stages/explain-failure.ts'
import { type Dockerfile, splitDockerfile, type Stage, stageBefore } from '../stages/parse-dockerfile.ts'
import { type BuildArgs, globalVariables, StageArgs } from '../stages/variables.ts'
import { type CheckedState, StageChecker } from './check-instructions.ts'
import { checkLine, checkWords } from './check-line.ts'
import {
  checkCasing,
  checkDefaultBases,
  type CheckedBase,
  checkFroms,
  checkStageNames,
  type GlobalVariables,
} from './check-stages.ts'
import { type CheckOptions, parseCheckOptions } from './options.ts'
import { type CheckWarning, Report } from './report.ts'

export interface CheckRequest {
  readonly dockerfile: string
  readonly args: BuildArgs
  /** Of the platforms, as `platformArgs()` has them. */
  readonly automatic: ReadonlyMap<string, string>
  /** Instead of the directive `check`. */
  readonly check?: string | undefined
  /** Of the context. */
  readonly ignored?: IgnoreRules
  /** The configuration of a base image, where it is known. */
  readonly baseConfig?: (name: string) => ImageRunConfig | undefined
  /** Whether a stage is built; those that are not are not looked into. */
  readonly isNeeded?: (stage: Stage) => boolean
}

/** Why a build would fail. */
export interface CheckFailure {
  readonly message: string
  readonly lines?: LineRange
}

export interface CheckReport {
  readonly warnings: readonly CheckWarning[]
  readonly failure: CheckFailure | undefined
}

/**
 * BuildKit's build checks of a Dockerfile, in the order that BuildKit does them: its lines, its stages, then what they do
 * to the configuration. What would fail the build ends the checks.
 * https://docs.docker.com/reference/build-checks/
 */
export function checkDockerfile(request: CheckRequest): CheckReport {
  let lines: DockerfileLines
  let options: CheckOptions
  try {
    lines = parseLines(request.dockerfile)
    options = checkOptions(request.check ?? lines.directives.check ?? '')
  } catch (error) {
    return { warnings: [], failure: failureOf(error, explain) }
  }
  const report = new Report(options)
  const failure = tryCheck(report, lines, request)
  const { warnings, violation } = report
  return { warnings, failure: failure ?? (violation === undefined ? undefined : { message: violation }) }
}

function checkOptions(text: string): CheckOptions {
  try {
    return parseCheckOptions(text)
  } catch (error) {
    throw new Error(`failed to parse check options: ${messageOf(error)}`, { cause: error })
  }
}

function tryCheck(report: Report, lines: DockerfileLines, request: CheckRequest): CheckFailure | undefined {
  for (const { lines: at } of lines.emptyContinuations) {
    report.warn('NoEmptyContinuation', { start: at.end, end: at.end }, 'Empty continuation line')
  }
  let dockerfile: Dockerfile
  try {
    const instructions = checkLines(report, lines)
    const hasStages = instructions.some(({ kind }) => kind !== 'arg')
    if (!hasStages) return { message: 'dockerfile contains no stages to build' }
    dockerfile = splitDockerfile(lines, instructions)
  } catch (error) {
    return failureOf(error, explain)
  }
  try {
    checkAll(report, dockerfile, request)
    return undefined
  } catch (error) {
    return failureOf(error)
  }
}

/** Understands the lines one by one: what comes before one that is wrong is checked. */
const checkLines = (report: Report, lines: DockerfileLines): Instruction[] =>
  lines.instructions.map((line) => {
    const instruction = parseTelling(report, line)
    checkLine(report, instruction)
    return instruction
  })

function parseTelling(report: Report, line: InstructionLine): Instruction {
  try {
    return parseInstruction(line)
  } catch (error) {
    checkWords(report, line)
    throw error
  }
}

/** As BuildKit tells what its parser refuses. */
const explain = (error: DockerfileError): DockerfileError => explainFailure(error, 'buildkit')

function failureOf(error: unknown, told = (one: DockerfileError) => one): CheckFailure {
  if (!(error instanceof DockerfileError)) return { message: messageOf(error) }
  const { message, lines } = told(error)
  return { message, lines }
}

function checkAll(report: Report, dockerfile: Dockerfile, request: CheckRequest): void {
  const { stages } = dockerfile
  checkStageNames(report, stages)
  checkCasing(report, stages)
  const globals = globalsOf(dockerfile, request)
  checkDefaultBases(report, stages, globals)
  const bases = checkFroms(report, dockerfile, globals)
  const states = new Map<Stage, CheckedState>()
  for (const stage of stages) {
    const { name } = bases[stage.index] as CheckedBase
    const other = stageBefore(stages.slice(0, stage.index), name, 'buildkit')
    const parent = other && states.get(other)
    const before = parent && { ...parent, draft: { ...parent.draft, isCmdSet: false } }
    if (request.isNeeded?.(stage) === false) continue
    const args = new StageArgs(request.args, globals.given, 'buildkit')
    const checker = new StageChecker(report, before ?? baseState(name, request), {
      args,
      ignored: request.ignored ?? ignoreRules([]),
    })
    states.set(stage, checker.check(stage.instructions))
  }
}

function globalsOf({ globalArgs }: Dockerfile, { args, automatic }: CheckRequest): GlobalVariables {
  const first = globalArgs[0]?.line.lines ?? { start: 1, end: 1 }
  return locate(first, () => ({
    given: globalVariables(globalArgs, args, automatic),
    defaults: globalVariables(globalArgs, {}, automatic),
    names: new Set([...globalArgs.flatMap((one) => one.args.map(({ name }) => name)), ...automatic.keys()]),
  }))
}

/** Without a PATH of its own an image gets this one. */
const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function baseState(name: string, { baseConfig }: CheckRequest): CheckedState {
  const config = name.toLowerCase() === 'scratch' ? {} : (baseConfig?.(name) ?? {})
  const { Env = [] } = config
  const withPath = Env.some((entry) => entry.startsWith('PATH=')) ? Env : [...Env, defaultPath]
  return {
    draft: { config: { ...config, Env: withPath }, isCmdSet: false },
    isWorkdirSet: false,
    args: undefined,
    declared: new Set(),
  }
}
