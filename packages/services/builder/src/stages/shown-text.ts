import { type Expanding, expandWord, type StageInstruction } from '@berth/dockerfile'

/** An instruction as BuildKit shows it: variables that are set are expanded, quotes stay. */
export function shownText(text: string, expanding: Expanding): string {
  try {
    return expandWord(text, { ...expanding, keepsUnset: true, isRaw: true })
  } catch {
    // What is wrong with it, the step itself says.
    return text
  }
}

/** The first line of the document that a RUN consists of. */
export function shownDocument(instruction: StageInstruction): string {
  if (instruction.kind !== 'run' || !instruction.command.isShell) return ''
  const [only, ...others] = instruction.files
  if (!only || others.length > 0) return ''
  const [first = '', ...rest] = only.content.trim().split(/\r?\n/)
  return ` (${first}${rest.length > 0 ? '...' : ''})`
}
