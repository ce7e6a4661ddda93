import { posix } from 'node:path'

/**
 * Where `path` is in a tree once all links in it are followed, as far as they exist; `readLink` knows the target of what
 * is a link. Undefined when there are more than `maxLinks`.
 */
export function followLinks(
  path: string,
  readLink: (path: string) => string | undefined,
  maxLinks: number,
): string | undefined {
  const names = path.split('/')
  let at = '/'
  let links = 0
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const next = posix.join(at, name)
    const target = name === '' || name === '.' || name === '..' ? undefined : readLink(next)
    if (target === undefined) {
      at = next
      continue
    }
    if (++links > maxLinks) return undefined
    names.unshift(...target.split('/'))
    if (target.startsWith('/')) at = '/'
  }
  return at
}
