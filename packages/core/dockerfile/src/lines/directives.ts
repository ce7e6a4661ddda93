import { invalid } from '@berth/base'

/** What comments at the top of a Dockerfile say: https://docs.docker.com/reference/dockerfile/#parser-directives */
export interface Directives {
  readonly syntax?: string
  readonly check?: string
  /** Continues lines and quotes characters. */
  readonly escape: '\\' | '`'
}

const pattern = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(\S(?:.*\S)?)\s*$/
const known = ['syntax', 'check', 'escape'] as const

/** Reads the directives: lines before anything else, each at most once. Throws `invalid` in Docker's words. */
export function readDirectives(lines: readonly string[]): Directives {
  const found = new Map<string, string>()
  for (const line of lines) {
    const [, written = '', value = ''] = pattern.exec(line.trimStart()) ?? []
    const name = known.find((candidate) => candidate === written.toLowerCase())
    if (name === undefined) break
    if (found.has(name)) throw invalid(`only one ${name} parser directive can be used`)
    found.set(name, value)
  }
  const escape = found.get('escape') ?? '\\'
  if (escape !== '\\' && escape !== '`') throw invalid(`invalid escape token '${escape}' does not match \` or \\`)
  const [syntax, check] = [found.get('syntax'), found.get('check')]
  return { ...(syntax !== undefined && { syntax }), ...(check !== undefined && { check }), escape }
}
