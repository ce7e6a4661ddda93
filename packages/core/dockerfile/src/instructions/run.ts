import { invalid } from '@berth/base'
import { chompTabs } from '../lines/heredocs.ts'
import { type InstructionLine, parseJsonForm } from '../lines/parse-lines.ts'
import { readFlags } from './flags.ts'
import type { CommandLine, InlineFile, RunInstruction } from './types.ts'

const networks = ['default', 'none', 'host'] as const
const securities = ['sandbox', 'insecure'] as const

/** `RUN [--mount=] [--network=] [--security=] [--device=] command`. */
export function parseRun(line: InstructionLine): RunInstruction {
  const flags = readFlags(line, { list: ['mount', 'device'], text: ['network', 'security'] })
  return {
    kind: 'run',
    line,
    command: parseCommand(line.rest),
    files: inlineFiles(line),
    mounts: flags.list('mount'),
    network: oneOf('network mode', flags.text('network') ?? 'default', networks),
    security: oneOf('security mode', flags.text('security') ?? 'sandbox', securities),
    devices: flags.list('device'),
  }
}

/** The JSON form as it is, anything else as one text for a shell. */
export function parseCommand(rest: string): CommandLine {
  const json = parseJsonForm(rest)
  return json ? { args: json, isShell: false } : { args: rest ? [rest] : [], isShell: true }
}

/** The documents of an instruction as files. */
export function inlineFiles({ heredocs }: InstructionLine): InlineFile[] {
  return heredocs.map(({ name, content, expand, chomp }) => ({
    name,
    content: chomp ? chompTabs(content) : content,
    written: content,
    expand,
  }))
}

function oneOf<T extends string>(what: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value.toLowerCase())
  if (found === undefined) throw invalid(`invalid ${what} ${JSON.stringify(value)}`)
  return found
}
