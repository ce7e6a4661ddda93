import type { TemplatePart } from './parse-template.ts'

/** Takes from each line of a `<<-` heredoc the spaces that all of them begin with. */
export function trimFlush(parts: readonly TemplatePart[]): void {
  let least = Number.POSITIVE_INFINITY
  let isLineStart = true
  const leading: (TemplatePart & { kind: 'text' })[] = []
  for (const part of parts) {
    if (isLineStart && part.kind !== 'end') least = Math.min(least, indentOf(part, leading))
    isLineStart = part.kind === 'text' && part.text.endsWith('\n')
  }
  if (!Number.isFinite(least)) return
  for (const part of leading) {
    part.text = part.text.slice(least)
    part.range = { ...part.range, start: part.range.start + least }
  }
}

/** How many spaces a line begins with; a line of nothing else does not count. Notes the texts that begin lines. */
function indentOf(part: TemplatePart, leading: (TemplatePart & { kind: 'text' })[]): number {
  if (part.kind !== 'text') return 0
  const trimmed = part.text.trimStart()
  if (trimmed === '' && part.text.endsWith('\n')) return Number.POSITIVE_INFINITY
  leading.push(part)
  return part.text.length - trimmed.length
}
