import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { join, posix } from 'node:path'
import { compilePath } from '@berth/dockerfile'
import { cleanPath } from './path-patterns.ts'

const maxLinks = 255

/** Paths and patterns below `root`, with what the symlinks on their way lead to; links never lead out of it. */
export function followLinks(root: string, paths: readonly string[]): string[] {
  const found = new Set<string>()
  const seen = new Set<string>()
  const visit = (path: string, links: number): void => {
    if (seen.has(path) || links > maxLinks) return
    seen.add(path)
    const parts = path.split('/')
    for (const [at, name] of parts.entries()) {
      const before = parts.slice(0, at).join('/')
      const rest = parts.slice(at + 1)
      if (/[*?[\\]/.test(name)) {
        found.add(path)
        for (const one of matching(root, before, name)) visitBelow({ here: posix.join(before, one), rest }, links)
        return
      }
      const here = posix.join(before, name)
      const target = linkTarget(root, here)
      if (target === undefined) continue
      found.add(here)
      visit(cleanPath(posix.join(target, ...rest)), links + 1)
      return
    }
    found.add(path)
  }
  const visitBelow = ({ here, rest }: { here: string; rest: readonly string[] }, links: number): void => {
    const target = linkTarget(root, here)
    if (target !== undefined) visit(cleanPath(posix.join(target, ...rest)), links + 1)
    else if (rest.length > 0) visit(posix.join(here, ...rest), links)
  }
  for (const path of paths) visit(cleanPath(path), 0)
  return [...found]
}

/** Where a link leads, from the root; undefined for what is none. */
function linkTarget(root: string, path: string): string | undefined {
  try {
    const full = join(root, path)
    if (!lstatSync(full).isSymbolicLink()) return undefined
    return posix.resolve('/', posix.dirname(path), readlinkSync(full))
  } catch {
    return undefined
  }
}

function matching(root: string, directory: string, pattern: string): string[] {
  const regExp = compilePath(pattern)
  try {
    return readdirSync(join(root, directory)).filter((name) => regExp.test(name))
  } catch {
    return []
  }
}
