import { posix } from 'node:path'

const maxLinks = 40

/** Where a path leads among symlinks that are known by their paths; all are clean and without a leading slash. */
export function followNames(links: ReadonlyMap<string, string>, path: string): string | undefined {
  let at = path
  for (let followed = 0; followed < maxLinks; followed++) {
    const link = prefixes(at).find((prefix) => links.has(prefix))
    if (link === undefined) return at
    const rest = at.slice(link.length)
    at = posix.resolve('/', posix.dirname(link), `${links.get(link)}`, `.${rest}`).slice(1)
  }
  return undefined
}

const prefixes = (path: string): string[] => {
  const parts = path.split('/')
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'))
}
