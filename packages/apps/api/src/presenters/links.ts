import type { Container } from '@berth/containers'

type Find = (ref: string) => Container | undefined

const lastOf = (text: string): string => text.slice(text.lastIndexOf('/') + 1)

/** A link `target[:alias]`, or as it is shown: `/target:/name/alias`. */
function parseLink(link: string): { target: string; alias: string } {
  const [target = '', alias = target] = link.split(':')
  return { target: lastOf(target), alias: lastOf(alias) }
}

/** On networks of users' links are names of their DNS, told with the endpoint. */
const linksOf = ({ hostConfig }: Container): readonly string[] =>
  hostConfig.NetworkMode === 'bridge' ? (hostConfig.Links ?? []) : []

/** `HostConfig.Links` of inspect; a link ends with its target. */
export function presentLinks(container: Container, find: Find): string[] | null {
  const links = linksOf(container).flatMap((link) => {
    const { target, alias } = parseLink(link)
    const found = find(target)
    return found ? [`/${found.name}:/${container.name}/${alias}`] : []
  })
  return links.length > 0 ? links : null
}

/** The names that containers have by the links of others: `/b/a`, by id. */
export function linkNames(containers: readonly Container[], find: Find): Map<string, string[]> {
  const names = new Map<string, string[]>()
  for (const container of containers) {
    for (const link of linksOf(container)) {
      const { target, alias } = parseLink(link)
      const id = find(target)?.id
      if (id !== undefined) names.set(id, [...(names.get(id) ?? []), `/${container.name}/${alias}`])
    }
  }
  return names
}
