import { parse } from 'yaml'
import type { SourceFile } from '../syntax/source.ts'
import type { Definition, Group, Target } from '../definition/target.ts'
import { ComposeError, ConsistencyError } from './compose-error.ts'
import { extendServices } from './extend-services.ts'
import { interpolateAll } from './interpolate.ts'
import { asMapping, type Mapping, mergeMappings } from './mapping.ts'
import { serviceTarget } from './service-target.ts'

/** What compose files may use: variables, and files of variables. */
export interface ComposeSurroundings {
  lookup(name: string): string | undefined
  /** The text of a file; undefined when it is not there. */
  readText(path: string): string | undefined
}

/** The services with a `build` as targets; all of them are the group `default`. Throws ComposeError. */
export function parseCompose(files: readonly SourceFile[], surroundings: ComposeSurroundings): Definition {
  const model = files.map((file) => readModel(file, surroundings.lookup)).reduce(mergeMappings)
  const services = Object.entries(extendServices(asMapping(model['services'], 'services')))
  for (const [name, service] of services) requireSource(name, asMapping(service, `services.${name}`))
  const secrets = asMapping(model['secrets'], 'secrets')
  const targets = services
    .map(([name, service]) => serviceTarget(name, asMapping(service, `services.${name}`), { secrets, ...surroundings }))
    .filter((target): target is Target => target !== undefined)
  const groups: Group[] = services.length === 0 ? [] : [{ name: 'default', targets: targets.map(({ name }) => name) }]
  return { groups, targets }
}

/** A service is built, or its image is there. */
function requireSource(name: string, { image, build }: Mapping): void {
  if ((image ?? undefined) !== undefined || (build ?? undefined) !== undefined) return
  throw new ConsistencyError(
    `service ${JSON.stringify(name)} has neither an image nor a build context specified: invalid compose project`,
  )
}

function readModel({ text }: SourceFile, lookup: (name: string) => string | undefined): Mapping {
  const parsed = parseYaml(text)
  if (parsed === null || parsed === undefined) throw new ComposeError('empty compose file')
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw new ComposeError('top-level object must be a mapping')
  const { name, services, secrets, include } = parsed as Mapping
  if (include !== undefined) throw new ComposeError('include is not supported: name the files with -f')
  if (services === undefined && secrets === undefined) throw new ComposeError('empty compose file')
  for (const service of Object.keys(asMapping(services, 'services'))) {
    if (!/^[a-zA-Z0-9._-]+$/.test(service)) {
      throw new ComposeError(`services additional properties '${service}' not allowed`)
    }
  }
  const project = typeof name === 'string' ? name : 'bake'
  const named = (variable: string): string | undefined =>
    lookup(variable) ?? (variable === 'COMPOSE_PROJECT_NAME' ? project : undefined)
  return asMapping(interpolateAll({ services, secrets }, named), 'compose file')
}

function parseYaml(text: string): unknown {
  try {
    return parse(text, { merge: true, maxAliasCount: 100, logLevel: 'error', uniqueKeys: true })
  } catch (error) {
    throw new ComposeError(`failed to parse : yaml: ${(error as Error).message}`)
  }
}
