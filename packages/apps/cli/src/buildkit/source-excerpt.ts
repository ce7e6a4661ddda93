import { GrpcError } from '@berth/buildkit-protocol'

export interface SourceRange {
  readonly start?: { readonly line?: number }
  readonly end?: { readonly line?: number }
}

interface Source {
  readonly info?: { readonly filename?: string; readonly data?: string }
  readonly ranges?: readonly SourceRange[]
}

const sourceType = 'github.com/moby/buildkit/errdefs.Source+json'
const contextLines = 2

/** The lines that an error stands on, as BuildKit's clients print them; '' where it names none. */
export function sourceExcerpts(error: unknown): string {
  if (!(error instanceof GrpcError)) return ''
  return error.details
    .filter(({ typeUrl }) => typeUrl.endsWith(sourceType))
    .map(({ value }) => excerptOf(JSON.parse(Buffer.from(value).toString()) as Source))
    .join('')
}

/** `--------` around the lines and those about them; `>>>` marks the lines themselves. */
export function excerptOf({ info, ranges = [] }: Source): string {
  const text = Buffer.from(info?.data ?? '', 'base64').toString()
  if (text === '') return ''
  const lines = text.split('\n')
  const spans = ranges.map(({ start, end }) => ({ from: start?.line ?? 0, to: end?.line ?? start?.line ?? 0 }))
  const [from, to] = [Math.min(...spans.map((span) => span.from)), Math.max(...spans.map((span) => span.to))]
  if (spans.length === 0 || from <= 0 || from > lines.length) return ''
  const [first, last] = [Math.max(1, from - contextLines), Math.min(lines.length, to + contextLines)]
  const shown = lines.slice(first - 1, last).map((line, at) => {
    const number = first + at
    const isMeant = spans.some((span) => number >= span.from && number <= span.to)
    return `${String(number).padStart(4)} |${isMeant ? ' >>>' : '    '} ${line}\n`
  })
  return `${info?.filename ?? ''}:${from}\n--------------------\n${shown.join('')}--------------------\n`
}
