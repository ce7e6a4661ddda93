import { ComposeError, ConsistencyError } from './compose/compose-error.ts'
import { type ComposeSurroundings, parseCompose } from './compose/parse-compose.ts'
import { type ListedVariable, parseDefinition } from './definition/parse-definition.ts'
import type { Surroundings } from './definition/resolver.ts'
import type { Definition } from './definition/target.ts'
import { BakeFileError } from './syntax/diagnostic.ts'
import type { Body } from './syntax/nodes.ts'
import { parseFile } from './syntax/parse-file.ts'
import { parseJsonFile } from './syntax/parse-json.ts'
import type { SourceFile } from './syntax/source.ts'

const jsonBlocks = { variable: 1, function: 1, group: 1, target: 1 } as const
const nestedJsonBlocks = { validation: 0 } as const

/** A file that is neither of bake's kinds. */
export class FileKindError extends Error {}

/** Files that are looked for when none are named, in the order in which they are merged. */
export const defaultFileNames: readonly string[] = [
  'compose.yaml',
  'compose.yml',
  'docker-compose.yml',
  'docker-compose.yaml',
  'docker-bake.json',
  'docker-bake.hcl',
  'docker-bake.override.json',
  'docker-bake.override.hcl',
]

/**
 * What bake files define together: HCL and JSON, and compose files. Throws BakeFileError, ComposeError, FileKindError.
 * `compose` is what compose files may use: the environment with what `.env` adds, and files of variables.
 */
export function readDefinition(
  files: readonly SourceFile[],
  surroundings: Surroundings,
  compose: ComposeSurroundings,
): { definition: Definition; variables: readonly ListedVariable[] } {
  const composeFiles: SourceFile[] = []
  const bodies: Body[] = []
  for (const file of files) {
    const kind = kindOf(file, compose)
    if (kind === 'compose') composeFiles.push(file)
    else bodies.push(kind)
  }
  const before = composeFiles.length === 0 ? { groups: [], targets: [] } : parseAllCompose(composeFiles, compose)
  if (bodies.length === 0) return { definition: before, variables: [] }
  return parseDefinition(bodies, before, surroundings)
}

function parseAllCompose(files: readonly SourceFile[], compose: ComposeSurroundings): Definition {
  try {
    return parseCompose(files, compose)
  } catch (error) {
    if (error instanceof ConsistencyError) throw new ComposeError(`failed to parse compose file: ${error.message}`)
    throw error
  }
}

/** By the end of its name; what has none of those may be either. */
function kindOf(file: SourceFile, compose: ComposeSurroundings): 'compose' | Body {
  const name = file.name.toLowerCase()
  if (name.endsWith('.yml') || name.endsWith('.yaml')) return 'compose'
  if (name.endsWith('.json')) return parsers.json(file)
  if (name.endsWith('.hcl')) return parsers.hcl(file)
  let composeProblem: string
  try {
    parseCompose([file], compose)
    return 'compose'
  } catch (error) {
    if (!(error instanceof ComposeError)) throw error
    composeProblem = error.message
  }
  try {
    return parseEither(file)
  } catch (error) {
    if (!(error instanceof BakeFileError)) throw error
    throw new FileKindError(
      `failed to parse ${file.name}: parsing yaml: ${composeProblem}, parsing hcl: ${error.message}`,
    )
  }
}

const parsers = {
  hcl: parseFile,
  json: (file: SourceFile) => parseJsonFile(file, jsonBlocks, nestedJsonBlocks),
}

/** HCL, or else JSON; when it is neither, what is told is of HCL. */
function parseEither(file: SourceFile): Body {
  try {
    return parsers.hcl(file)
  } catch (error) {
    if (!(error instanceof BakeFileError)) throw error
    try {
      return parsers.json(file)
    } catch (second) {
      if (second instanceof BakeFileError) throw error
      throw second
    }
  }
}
