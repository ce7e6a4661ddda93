import { posix } from 'node:path'
import { ignoreRules, compilePath } from '@berth/dockerfile'

/** Which paths of a directory are wanted. */
export interface PathPatterns {
  /** The path, or a directory that it is in, matches. */
  matches(path: string): boolean
  /** Something below a directory may match. */
  mayHoldMatch(directory: string): boolean
}

const everything: PathPatterns = { matches: () => true, mayHoldMatch: () => true }

/** Patterns as in a `.dockerignore`, without exceptions; none of them is all. */
export function pathPatterns(texts: readonly string[]): PathPatterns {
  const patterns = texts.map(cleanPath)
  if (patterns.length === 0 || patterns.includes('')) return everything
  const rules = ignoreRules(patterns)
  const parts = patterns.map((pattern) => pattern.split('/').map(partMatcher))
  return {
    matches: (path) => rules.ignores(path),
    mayHoldMatch: (directory) => {
      const names = directory.split('/')
      return parts.some((matchers) => beginsLike(names, matchers))
    },
  }
}

/** Without a leading slash; '' is the directory itself. */
export const cleanPath = (path: string): string => {
  const clean = posix.resolve('/', path).slice(1)
  return clean === '.' ? '' : clean
}

/** Undefined: any number of directories. */
type PartMatcher = ((name: string) => boolean) | undefined

function partMatcher(part: string): PartMatcher {
  if (part.includes('**')) return undefined
  if (!/[*?[\\]/.test(part)) return (name) => name === part
  const pattern = compilePath(part)
  return (name) => pattern.test(name)
}

function beginsLike(names: readonly string[], matchers: readonly PartMatcher[]): boolean {
  for (const [at, name] of names.entries()) {
    if (at >= matchers.length) return false
    const matcher = matchers[at]
    if (matcher === undefined) return true
    if (!matcher(name)) return false
  }
  return true
}
