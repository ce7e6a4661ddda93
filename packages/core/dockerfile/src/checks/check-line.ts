import type { Instruction } from '../instructions/types.ts'
import type { InstructionLine } from '../lines/parse-lines.ts'
import type { Report } from './report.ts'

/** What can be said of an instruction alone, as it is written. */
export function checkLine(report: Report, instruction: Instruction): void {
  const { line } = instruction
  if (instruction.kind === 'maintainer') {
    report.warn('MaintainerDeprecated', line.lines, 'Maintainer instruction is deprecated in favor of using label')
  }
  if (instruction.kind === 'arg') {
    checkComment(
      report,
      line,
      instruction.args.map(({ name }) => name),
    )
  }
  if (instruction.kind === 'from') checkFromLine(report, line, instruction.stageName)
}

/** What can be said of a line that is not understood. */
export function checkWords(report: Report, line: InstructionLine): void {
  const [, as = ''] = wordsOf(line)
  if (line.name.toLowerCase() === 'from') checkAs(report, line, as)
}

const wordsOf = ({ rest }: InstructionLine): string[] => rest.split(/\s+/).filter(Boolean)

function checkAs(report: Report, line: InstructionLine, as: string): void {
  if (as.toLowerCase() !== 'as' || isSameCase(line.name, as)) return
  report.warn('FromAsCasing', line.lines, `'${as}' and '${line.name}' keywords' casing do not match`)
}

function checkFromLine(report: Report, line: InstructionLine, stageName: string): void {
  const [, as = '', written = ''] = wordsOf(line)
  if (written !== stageName) {
    report.warn('StageNameCasing', line.lines, `Stage name '${written}' should be lowercase`)
  }
  checkAs(report, line, as)
  if (stageName !== '') checkComment(report, line, [stageName])
}

/** Whether `as` is written as `from` is; a `From` that is neither is another check's. */
function isSameCase(from: string, as: string): boolean {
  if (from === from.toLowerCase()) return as === as.toLowerCase()
  return from !== from.toUpperCase() || as === as.toUpperCase()
}

/** The comment right above tells what a stage or an argument is for: it begins with the name. */
function checkComment(report: Report, { comments, name, lines }: InstructionLine, names: readonly string[]): void {
  const [word = ''] = comments.at(-1)?.split(' ') ?? []
  if (comments.length === 0 || names.includes(word)) return
  const example = names.length > 1 ? '<arg_key>' : names[0]
  report.warn(
    'InvalidDefinitionDescription',
    lines,
    `Comment for ${name.toUpperCase()} should follow the format: \`# ${example} <description>\``,
  )
}
