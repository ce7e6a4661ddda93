/** Tells which paths of a build context stay behind. */
export interface IgnoreRules {
  /** `path` has slashes and no leading one. */
  ignores(path: string): boolean
  /** Whether something below an ignored directory may be wanted all the same. */
  readonly hasExceptions: boolean
}

/** The lines of a `.dockerignore`; throws an Error for a pattern that is none. */
export function parseIgnoreFile(text: string): IgnoreRules {
  const rules = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap(parseLine)
  return {
    hasExceptions: rules.some(({ keeps }) => keeps),
    ignores: (path) => {
      const parents = parentsOf(path)
      let ignored = false
      for (const { keeps, pattern } of rules) {
        if (keeps === ignored && parents.some((one) => pattern.test(one))) ignored = !keeps
      }
      return ignored
    },
  }
}

interface Rule {
  readonly keeps: boolean
  readonly pattern: RegExp
}

function parseLine(line: string): Rule[] {
  if (line.startsWith('#')) return []
  const text = line.trim()
  const keeps = text.startsWith('!')
  const path = cleanPath(keeps ? text.slice(1).trim() : text)
  if (text === '!') throw new Error('illegal exclusion pattern: "!"')
  return path === '' ? [] : [{ keeps, pattern: toRegExp(path) }]
}

/** Without empty parts, `.` and leading slashes; `..` takes a part away. */
function cleanPath(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

/** As Go's filepath.Match, and `**` for any number of directories. */
function toRegExp(path: string): RegExp {
  const source = path.replace(/\*\*\/|\*\*|\*|\?|\[(?:\\.|[^\]\\])+\]|\\.|[^*?[\\]/gsu, (token) => translate(token))
  try {
    return new RegExp(`^${source}$`, 'su')
  } catch (error) {
    throw new Error(`syntax error in pattern: ${path}`, { cause: error })
  }
}

function translate(token: string): string {
  if (token === '**/') return '(?:.*/)?'
  if (token === '**') return '.*'
  if (token === '*') return '[^/]*'
  if (token === '?') return '[^/]'
  if (token.startsWith('[')) return token.startsWith('[^') ? token : token.replace(/^\[!/, '[\\!')
  const char = token.startsWith('\\') ? token.slice(1) : token
  return char.replace(/[$()+.^{|}\\*?[\]/-]/u, (one) => (one === '-' ? one : `\\${one}`))
}

/** `a`, `a/b`, `a/b/c`: what matches a directory matches all in it. */
function parentsOf(path: string): string[] {
  const parts = path.split('/')
  return parts.map((_part, at) => parts.slice(0, at + 1).join('/'))
}
