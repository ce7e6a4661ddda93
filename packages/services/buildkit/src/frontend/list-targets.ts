import { type LineRange, parseDockerfile } from '@berth/dockerfile'

/** Lines as BuildKit's documents have them. */
export interface Location {
  readonly ranges: readonly { readonly start: { readonly line: number }; readonly end: { readonly line: number } }[]
}

export const locationOf = ({ start, end }: LineRange): Location => ({
  ranges: [{ start: { line: start }, end: { line: end } }],
})

/** github.com/moby/buildkit/frontend/subrequests/targets */
export interface TargetList {
  readonly targets: readonly {
    readonly name?: string
    readonly default?: boolean
    readonly description?: string
    readonly base: string
    readonly platform?: string
    readonly location: Location
  }[]
  /** Base64. */
  readonly sources: readonly string[]
}

/** The stages of a Dockerfile that can be a target, with the comments above them. */
export function listTargets(dockerfile: string): TargetList {
  const { stages } = parseDockerfile(dockerfile)
  const targets = stages.map(({ from }, i) => {
    const description = from.stageName === '' ? '' : describe(from.stageName, from.line.comments)
    return {
      ...(from.stageName !== '' && { name: from.stageName }),
      ...(i === stages.length - 1 && { default: true }),
      ...(description !== '' && { description }),
      base: from.base,
      ...(from.platform !== '' && { platform: from.platform }),
      location: locationOf(from.line.lines),
    }
  })
  return { targets, sources: [Buffer.from(dockerfile).toString('base64')] }
}

/** A comment that begins with the name, in lower case, tells what it is for. */
export function describe(name: string, comments: readonly string[]): string {
  const first = comments.findIndex((comment) => comment.toLowerCase().startsWith(`${name} `))
  if (first < 0) return ''
  return comments
    .slice(first)
    .join(' ')
    .slice(name.length + 1)
}
