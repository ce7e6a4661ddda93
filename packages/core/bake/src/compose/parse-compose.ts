import { parse } from 'yaml'
import type { SourceFile } from '../syntax/source.ts'
import type { Definition, Group, Target } from '../definition/target.ts'
import { ComposeError } from './compose-error.ts'
import { extendServices } from './extend-services.ts'
import { interpolateAll } from './interpolate.ts'
import { asMapping, type Mapping, mergeMappings } from './mapping.ts'
import { serviceTarget } from './service-target.ts'

/** The services with a `build` as targets; all of them are the group `default`. Throws ComposeError. */
export function parseCompose(files: readonly SourceFile[], lookup: (name: string) => string | undefined): Definition {
  const model = files.map((file) => readModel(file, lookup)).reduce(mergeMappings)
  const services = Object.entries(extendServices(asMapping(model['services'], 'services')))
  const secrets = asMapping(model['secrets'], 'secrets')
  const targets = services
    .map(([name, service]) => serviceTarget(name, asMapping(service, `services.${name}`), { secrets, lookup }))
    .filter((target): target is Target => target !== undefined)
  const groups: Group[] = services.length === 0 ? [] : [{ name: 'default', targets: targets.map(({ name }) => name) }]
  return { groups, targets }
}

function readModel({ text }: SourceFile, lookup: (name: string) => string | undefined): Mapping {
  const parsed = parseYaml(text)
  if (parsed === null || parsed === undefined) throw new ComposeError('empty compose file')
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw new ComposeError('top-level object must be a mapping')
  const { services, secrets, include } = parsed as Mapping
  if (include !== undefined) throw new ComposeError('include is not supported: name the files with -f')
  if (services === undefined && secrets === undefined) throw new ComposeError('empty compose file')
  return asMapping(interpolateAll({ services, secrets }, lookup), 'compose file')
}

function parseYaml(text: string): unknown {
  try {
    return parse(text, { merge: true, maxAliasCount: 100, logLevel: 'error', uniqueKeys: true })
  } catch (error) {
    throw new ComposeError(`yaml: ${(error as Error).message}`)
  }
}
