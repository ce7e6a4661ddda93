import { invalid } from '@berth/base'

/** A repository, what of it, and where in it: `https://host/repo.git#ref:folder`, or the same by a query. */
export interface GitSource {
  readonly url: string
  readonly ref: string
  readonly folder: string
  /** The commit that it has to be, or the beginning of its id; '' for any. */
  readonly commit: string
  /** What the address says of `.git`; undefined: nothing. */
  readonly keepsGitDirectory: boolean | undefined
  readonly hasSubmodules: boolean
}

/** Whether a context is a git repository: https://docs.docker.com/build/concepts/context/#git-repositories */
export const isGitContext = (text: string): boolean => text.startsWith('github.com/') || isGitSource(text)

/** Whether a source of ADD is one: `github.com/` is a directory there, which Go's sources are often copied into. */
export function isGitSource(text: string): boolean {
  if (/^(?:git:\/\/|git@|ssh:\/\/)/.test(text)) return true
  return /^https?:\/\/[^#?]*\.git(?:[#?]|$)/.test(text)
}

/** Takes a source apart. Throws `invalid` for what contradicts itself, and for a ref that git would take for an option. */
export function parseGit(text: string): GitSource {
  const [address = '', fragment = ''] = splitOnce(text, '#')
  const [bare = '', query = ''] = address.startsWith('git@') ? [address] : splitOnce(address, '?')
  const [ref = '', folder = ''] = splitOnce(fragment, ':')
  const asked = parseQuery(query)
  const chosen = oneOf('ref', [ref, asked('ref'), prefixed('refs/tags/', asked('tag')), branchOf(asked)])
  const commit = asked('checksum') || asked('commit')
  if (commit !== '' && !/^[0-9a-f]{7,64}$/.test(commit)) throw invalid(`invalid commit: ${JSON.stringify(commit)}`)
  const source: GitSource = {
    url: bare.startsWith('github.com/') ? `https://${bare}` : bare,
    ref: chosen || commit,
    folder: oneOf('subdir', [folder, asked('subdir')]),
    commit,
    keepsGitDirectory: truth('keep-git-dir', asked('keep-git-dir')),
    hasSubmodules: truth('submodules', asked('submodules')) ?? true,
  }
  const option = [source.ref, source.url].find((word) => word.startsWith('-'))
  if (option !== undefined) throw invalid(`invalid git reference: ${JSON.stringify(option)}`)
  return source
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

/** May stand alone, which is as `true`. */
const switches: ReadonlySet<string> = new Set(['keep-git-dir', 'submodules'])
const words: ReadonlySet<string> = new Set([...switches, 'ref', 'tag', 'branch', 'subdir', 'checksum', 'commit'])

/** https://docs.docker.com/build/concepts/context/#url-queries */
function parseQuery(query: string): (key: string) => string {
  const found = new Map<string, string>()
  for (const [key, value] of new URLSearchParams(query)) {
    if (!words.has(key)) throw invalid(`unexpected query ${JSON.stringify(key)}`)
    if (found.has(key)) throw invalid(`query ${JSON.stringify(key)} has multiple values`)
    if (value === '' && !switches.has(key)) throw invalid(`query ${JSON.stringify(key)} has no value`)
    found.set(key, value === '' ? 'true' : value)
  }
  return (key) => found.get(key) ?? ''
}

const prefixed = (prefix: string, name: string): string =>
  name === '' || name.startsWith(prefix) ? name : prefix + name

function branchOf(asked: (key: string) => string): string {
  if (asked('branch') !== '' && asked('tag') !== '') throw invalid('branch conflicts with tag')
  return prefixed('refs/heads/', asked('branch'))
}

/** What all that say something agree on. */
function oneOf(what: string, said: readonly string[]): string {
  const [first = '', second] = [...new Set(said.filter((one) => one !== ''))]
  if (second === undefined) return first
  throw invalid(`${what} conflicts: ${JSON.stringify(first)} vs ${JSON.stringify(second)}`)
}

function truth(key: string, text: string): boolean | undefined {
  if (text === '') return undefined
  if (/^(?:1|t|true)$/i.test(text)) return true
  if (/^(?:0|f|false)$/i.test(text)) return false
  throw invalid(`invalid ${key} value: ${JSON.stringify(text)}`)
}
