import {
  BakeFileError,
  type Definition,
  excerptOf,
  type ListedVariable,
  parseOverrides,
  readDefinition,
  resolveTargets,
  type Selection,
  type Shorthands,
  shorthandOverrides,
  type SourceFile,
} from '@berth/bake'
import { describeFailure, StatusError } from '../errors.ts'
import { checkTarget } from './check-target.ts'
import { composeSurroundings, parseVariables, surroundingsOf, visibleEnvironment } from './surroundings.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface BakeRequest {
  readonly targets: readonly string[]
  readonly set: readonly string[]
  readonly shorthands: Shorthands
}

export interface BakeInput {
  readonly files: readonly SourceFile[]
  readonly env: Environment
  /** Values of `--var`. */
  readonly variables: readonly string[]
}

/** What the files define. What is wrong with them is told with the lines around it. */
export function defineBake({ files, env, variables }: BakeInput): {
  definition: Definition
  variables: readonly ListedVariable[]
} {
  const surroundings = surroundingsOf(env, parseVariables(variables))
  try {
    return readDefinition(files, surroundings, composeSurroundings(surroundings))
  } catch (error) {
    if (!(error instanceof BakeFileError)) throw error
    throw new BakeFailure(`${excerptOf(error, files)}ERROR: ${error.message}`)
  }
}

/** A failure that brings its own `ERROR:`, after the lines of the file that it is about. */
export class BakeFailure extends StatusError {
  constructor(message: string) {
    super(1, message)
  }
}

/** Any failure of bake, as it is told. */
export const asBakeFailure = (error: unknown): StatusError =>
  error instanceof StatusError ? error : new BakeFailure(`ERROR: ${describeFailure(error)}`)

/** The targets to build, with everything that the command line changes. */
export function planBake(input: BakeInput, { targets, set, shorthands }: BakeRequest): Selection {
  const { definition } = defineBake(input)
  const names = targets.length === 0 ? ['default'] : targets
  const flags = [...set, ...shorthandOverrides(shorthands)]
  const overrides = parseOverrides(flags, definition, visibleEnvironment(input.env))
  const selection = resolveTargets(names, definition, overrides)
  const epoch = input.env['SOURCE_DATE_EPOCH'] ?? ''
  const checked = [...selection.targets].map(([name, target]) => {
    const { args } = target.fields
    const dated =
      epoch === '' || args?.has('SOURCE_DATE_EPOCH') === true
        ? args
        : new Map([...(args ?? []), ['SOURCE_DATE_EPOCH', epoch] as const])
    const fields = dated === undefined ? target.fields : { ...target.fields, args: dated }
    return [name, checkTarget({ ...target, fields }, input.env)] as const
  })
  return { ...selection, targets: new Map(checked) }
}
