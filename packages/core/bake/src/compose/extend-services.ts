import { ComposeError } from './compose-error.ts'
import { asMapping, asText, type Mapping, mergeMappings } from './mapping.ts'

/** Puts under each service what it `extends`. */
export function extendServices(services: Mapping): Mapping {
  const done = new Map<string, Mapping>()
  const extend = (name: string, visited: readonly string[]): Mapping => {
    const known = done.get(name)
    if (known !== undefined) return known
    if (visited.includes(name))
      throw new ComposeError(`circular reference with extends: ${[...visited, name].join(' -> ')}`)
    const { extends: parent, ...own } = asMapping(services[name], `services.${name}`)
    const extended =
      parent === undefined ? own : mergeMappings(extend(parentOf(parent, name, services), [...visited, name]), own)
    done.set(name, extended)
    return extended
  }
  return Object.fromEntries(Object.keys(services).map((name) => [name, extend(name, [])]))
}

function parentOf(parent: unknown, name: string, services: Mapping): string {
  const { service, file } =
    typeof parent === 'string' ? { service: parent, file: undefined } : asMapping(parent, 'extends')
  if (file !== undefined)
    throw new ComposeError(`cannot extend service of another file: services.${name}.extends.file is not supported`)
  const wanted = asText(service, `services.${name}.extends.service`)
  if (services[wanted] !== undefined) return wanted
  throw new ComposeError(`cannot extend service "${wanted}" in compose file: service not found`)
}
