import { arithmeticFunctions } from './arithmetic.ts'
import { cidrFunctions } from './cidr.ts'
import { collectionFunctions } from './collections.ts'
import { dateFunctions } from './dates.ts'
import { encodingFunctions } from './encoding.ts'
import { formatFunctions } from './format.ts'
import type { FunctionSpec } from './function.ts'
import { jsonFunctions } from './json.ts'
import { regexFunctions } from './regex.ts'
import { setFunctions } from './sets.ts'
import { specialFunctions } from './special.ts'
import { stringFunctions } from './strings.ts'

/** What functions learn from outside. */
export interface FunctionHost {
  readonly homeFolder: string
  now(): Date
  uuid(): string
}

/** The functions that every bake file can call, by name. */
export const standardFunctions = (host: FunctionHost): ReadonlyMap<string, FunctionSpec> =>
  new Map(
    Object.entries({
      ...arithmeticFunctions,
      ...stringFunctions,
      ...collectionFunctions,
      ...setFunctions,
      ...regexFunctions,
      ...formatFunctions,
      ...jsonFunctions,
      ...encodingFunctions,
      ...cidrFunctions,
      ...dateFunctions(() => host.now()),
      ...specialFunctions(host),
    }).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
