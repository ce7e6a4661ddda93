import { printSelection, type Selection } from '@berth/bake'
import type { BakeFlags } from '../commands/builder/bake.ts'
import type { BakeFile } from './bake-files.ts'
import { listTargets, listVariables, parseListRequest } from './list-definition.ts'
import { parseCall } from '../buildkit/parse/call.ts'
import { type BakeInput, defineBake, planBake } from './plan-bake.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What a command line asks for: an answer alone, or targets to build. */
export type Prepared = { readonly answer: string } | { readonly selection: Selection }

/** Everything before anything is built. */
export function prepareBake(
  args: readonly string[],
  given: BakeFlags,
  files: readonly BakeFile[],
  env: Environment,
): Prepared {
  const input: BakeInput = { files, env, variables: given.variable }
  if (given.print && given.list !== '') throw new Error('--print and --list are mutually exclusive')
  if (given.list !== '') return { answer: listDefinition(input, given.list) }
  const shorthands = { ...given, call: parseCall(given.check ? 'check' : given.call)?.name }
  const selection = planBake(input, { targets: args, set: given.set, shorthands })
  return given.print ? { answer: printSelection(selection) } : { selection }
}

function listDefinition(input: BakeInput, text: string): string {
  const { definition, variables } = defineBake(input)
  const request = parseListRequest(text)
  return request.type === 'targets' ? listTargets(definition, request) : listVariables(variables, request)
}
