import type { Flag, FlagSet } from './flag.ts'

/** The `Options:` block of a help text, wrapped to `width` columns. */
export function formatFlags(set: FlagSet, width: number): string {
  const flags = Object.values(set)
    .filter((flag) => flag.hidden !== true)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const heads = flags.map(formatHead)
  const indent = Math.max(...heads.map((head) => head.length)) + 3
  return flags
    .map((flag, index) => `${(heads[index] ?? '').padEnd(indent)}${wrap(indent, width, flag.help)}\n`)
    .join('')
}

function formatHead(flag: Flag<unknown>): string {
  const names = flag.short === undefined ? `      --${flag.name}` : `  -${flag.short}, --${flag.name}`
  return flag.placeholder === '' ? names : `${names} ${flag.placeholder}`
}

/** A last line may be this much too long rather than leave a short word alone. */
const slop = 5

/** Breaks a text into lines that begin at column `indent` and end before `width`. */
function wrap(indent: number, width: number, text: string): string {
  const room = width - indent
  if (room < 24) return `\n${' '.repeat(16)}${wrap(16, Math.max(width, 40), text)}`
  const lines: string[] = []
  let rest = text
  while (rest !== '' || lines.length === 0) {
    const [line, after] = breakLine(room - slop, rest)
    lines.push(line)
    rest = after
  }
  return lines.join('\n').replaceAll('\n', `\n${' '.repeat(indent)}`)
}

function breakLine(length: number, text: string): [line: string, rest: string] {
  if (length + slop > text.length) return [text, '']
  const head = text.slice(0, length)
  const space = Math.max(head.lastIndexOf(' '), head.lastIndexOf('\t'), head.lastIndexOf('\n'))
  if (space <= 0) return [text, '']
  const newline = head.lastIndexOf('\n')
  const at = newline > 0 && newline < space ? newline : space
  return [text.slice(0, at), text.slice(at + 1)]
}
