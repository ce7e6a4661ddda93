import { describeRange, positionAt, type Range, type SourceFile } from './source.ts'

/** One thing that is wrong with a bake file, in the words of HCL. */
export interface Diagnostic {
  readonly summary: string
  readonly detail: string
  readonly subject?: Range | undefined
}

const describe = ({ summary, detail, subject }: Diagnostic): string =>
  `${subject === undefined ? '<unknown>' : describeRange(subject)}: ${summary}; ${detail}`

/** A bake file that cannot be used: the message is of the first problem, and says how many others there are. */
export class BakeFileError extends Error {
  readonly diagnostics: readonly Diagnostic[]

  constructor(diagnostics: readonly Diagnostic[]) {
    const [first, ...others] = diagnostics
    const more = others.length === 0 ? '' : `, and ${others.length} other diagnostic(s)`
    super(first === undefined ? 'no diagnostics' : describe(first) + more)
    this.name = 'BakeFileError'
    this.diagnostics = diagnostics
  }
}

/** Throws when there is a problem among them. */
export function refuseIfAny(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length > 0) throw new BakeFileError(diagnostics)
}

export function refuse(summary: string, detail: string, subject?: Range): never {
  throw new BakeFileError([{ summary, detail, subject }])
}

/** The lines around what the first problem is about, as BuildKit draws them; empty when it has no place in the files. */
export function excerptOf(error: BakeFileError, files: readonly SourceFile[]): string {
  const subject = error.diagnostics[0]?.subject
  const file = files.find(({ name }) => name === subject?.file.name)
  if (subject === undefined || file === undefined) return ''
  const lines = file.text.split('\n')
  const first = positionAt(subject.file, subject.start).line
  const last = Math.min(positionAt(subject.file, subject.end).line, lines.length)
  if (first > lines.length) return ''
  const [from, to] = widen(first, last, lines.length)
  const rule = '-'.repeat(20)
  const drawn = lines.slice(from - 1, to).map((line, index) => {
    const number = from + index
    const mark = number >= first && number <= last ? '>>>' : '   '
    return ` ${String(number).padStart(3)} | ${mark} ${line}\n`
  })
  return `${file.name}:${first}\n${rule}\n${drawn.join('')}${rule}\n`
}

/** Two lines more for several, four for one, taken from both sides by turns. */
function widen(first: number, last: number, count: number): [number, number] {
  const padding = first === last ? 4 : 2
  let [from, to] = [first, last]
  for (let added = 0; added < padding; added++) {
    if (from > 1) {
      from--
      added++
    }
    if (to !== count) {
      to++
      added++
    }
  }
  return [from, to]
}
