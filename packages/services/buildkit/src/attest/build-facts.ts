import type { Attributes } from '../frontend/decode-attributes.ts'

/** What is known of a build that is told to others. */
export interface BuildFacts {
  /** The client's name for it. */
  readonly ref: string
  readonly startedAt: string
  readonly attributes: Attributes
  readonly filename: string
  readonly dockerfile: string
  /** What RUN steps may ask for, by id: never what it is. */
  readonly secrets: readonly NamedWish[]
  readonly ssh: readonly NamedWish[]
}

export interface NamedWish {
  readonly id: string
  readonly optional?: true
}

/** The client's own, and where its files lie. */
const untold = [
  'cgroup-parent',
  'image-resolve-mode',
  'platform',
  'cache-imports',
  'filename',
  'multi-platform',
  'frontend.caps',
]
const untoldPrefixes = ['attest:', 'vcs:', 'local-sessionid:', 'input-metadata:']

/** The parameters of a build that others may know. */
export function toldArguments(attributes: Attributes): Record<string, string> {
  const told = Object.entries(attributes).filter(
    ([name]) => !untold.includes(name) && !untoldPrefixes.some((prefix) => name.startsWith(prefix)),
  )
  const isContext = (name: string) => name === 'context' || name.startsWith('context:')
  return Object.fromEntries(told.map(([name, value]) => [name, isContext(name) ? withoutPassword(value) : value]))
}

/** A URL without the name and the password of whoever may read it. */
export function withoutPassword(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1xxxxx:xxxxx@')
}

/** What the client says of the repository that the files are of. */
export const versionControl = (attributes: Attributes): Record<string, string> =>
  Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      name.startsWith('vcs:') ? [[name.slice('vcs:'.length), withoutPassword(value)]] : [],
    ),
  )

/** The client's directories that the build takes from. */
export function localDirectories({ context, dockerfilekey, ...attributes }: Attributes): { readonly name: string }[] {
  const named = Object.values(attributes).flatMap((value) => /^local:(.+)$/s.exec(value)?.[1] ?? [])
  const own = context === undefined ? ['context', dockerfilekey ?? 'dockerfile'] : dockerfilekey ? [dockerfilekey] : []
  return [...own, ...named].map((name) => ({ name }))
}
