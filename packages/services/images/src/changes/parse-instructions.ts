import { invalid } from '@berth/base'

/** One Dockerfile instruction, not yet understood. */
export interface Instruction {
  /** As written. */
  readonly name: string
  /** `--interval=5s`: the words with two dashes that come first. */
  readonly flags: readonly string[]
  readonly rest: string
}

/** Splits Dockerfile lines into instructions: comments and blank lines go, a backslash at the end continues. */
export function parseInstructions(lines: readonly string[]): Instruction[] {
  const instructions: Instruction[] = []
  let pending = ''
  for (const line of lines.join('\n').split('\n')) {
    if (/^\s*(#|$)/.test(line)) continue
    const continued = /\\[ \t]*$/.test(line)
    pending += continued ? line.replace(/\\[ \t]*$/, '') : line
    if (continued) continue
    instructions.push(parseInstruction(pending))
    pending = ''
  }
  if (pending.trim()) instructions.push(parseInstruction(pending))
  if (instructions.length === 0) throw invalid('file with no instructions')
  return instructions
}

/** The instruction in one logical line; also what comes after ONBUILD. */
export function parseInstruction(line: string): Instruction {
  const [, name = '', all = ''] = /^(\S+)\s*([^]*)$/.exec(line.trim()) ?? []
  const flags: string[] = []
  let rest = all
  for (;;) {
    const [word = ''] = /^--\S*/.exec(rest) ?? []
    if (!word) return { name, flags, rest }
    rest = rest.slice(word.length).trimStart()
    if (word === '--') return { name, flags, rest }
    flags.push(word)
  }
}

/** Flag names to values; refuses those not in `known`, a value missing, and a repeat, in Docker's words. */
export function readFlags(instruction: Instruction, known: readonly string[]): Readonly<Record<string, string>> {
  const values: Record<string, string> = {}
  for (const flag of instruction.flags) {
    const [, name = '', value] = /^--([^=]*)(?:=([^]*))?$/.exec(flag) ?? []
    if (!known.includes(name)) throw invalid(`unknown flag: --${name}`)
    if (Object.hasOwn(values, name)) throw invalid(`duplicate flag specified: ${name}`)
    if (value === undefined) throw invalid(`missing a value on flag: --${name}`)
    values[name] = value
  }
  return values
}

/** The words of `rest`: split at spaces outside quotes; quotes and backslashes stay for the expansion. */
export function splitWords(rest: string): string[] {
  return rest.match(/(?:'[^']*(?:'|$)|"(?:\\[^]|[^"\\])*(?:"|\\?$)|\\[^]|[^\s'"\\])+/g) ?? []
}

/** A JSON array of strings, or undefined for what is no JSON array (the shell form). */
export function parseJsonForm(rest: string): string[] | undefined {
  const value = rest.trimStart().startsWith('[') ? tryJson(rest) : undefined
  if (!Array.isArray(value)) return undefined
  if (!value.every((item): item is string => typeof item === 'string')) {
    throw invalid('when using JSON array syntax, arrays must be comprised of strings only')
  }
  return value
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
