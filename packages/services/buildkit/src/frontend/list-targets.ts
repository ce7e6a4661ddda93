import { parseDockerfile } from '@berth/dockerfile'

/** github.com/moby/buildkit/frontend/subrequests/targets */
export interface TargetList {
  readonly targets: readonly {
    readonly name?: string
    readonly default?: boolean
    readonly description?: string
    readonly base: string
    readonly platform?: string
    readonly location: { readonly ranges: readonly unknown[] }
  }[]
  readonly sources: readonly { readonly filename: string; readonly data: string; readonly language: string }[]
}

/** The stages of a Dockerfile that can be a target, with the comments above them. */
export function listTargets(dockerfile: string, filename: string): TargetList {
  const { stages } = parseDockerfile(dockerfile)
  const targets = stages.map(({ from }, i) => {
    const description = from.stageName === '' ? '' : describe(from.stageName, from.line.comments)
    const { start, end } = from.line.lines
    return {
      ...(from.stageName !== '' && { name: from.stageName }),
      ...(i === stages.length - 1 && { default: true }),
      ...(description !== '' && { description }),
      base: from.base,
      ...(from.platform !== '' && { platform: from.platform }),
      location: { ranges: [{ start: { line: start }, end: { line: end } }] },
    }
  })
  const source = { filename, data: Buffer.from(dockerfile).toString('base64'), language: 'Dockerfile' }
  return { targets, sources: [source] }
}

/** A comment that begins with the name tells what the stage is. */
function describe(name: string, comments: readonly string[]): string {
  const first = comments.findIndex((comment) => comment.toLowerCase().startsWith(`${name} `))
  return first < 0
    ? ''
    : comments
        .slice(first)
        .join(' ')
        .slice(name.length + 1)
}
