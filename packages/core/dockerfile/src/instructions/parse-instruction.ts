import { invalid } from '@berth/base'
import { locate } from '../dockerfile-error.ts'
import { type InstructionLine, parseJsonForm, parseLine } from '../lines/parse-lines.ts'
import { splitWords } from '../words/split-words.ts'
import { closest } from './closest.ts'
import { parseAdd, parseCopy } from './copy.ts'
import { readFlags } from './flags.ts'
import { parseFrom } from './from.ts'
import { parseHealthcheck } from './healthcheck.ts'
import { parsePairs } from './pairs.ts'
import { parseCommand, parseRun } from './run.ts'
import type { ArgInstruction, Instruction, InstructionKind } from './types.ts'

/** Understands one instruction; throws `DockerfileError` in Docker's words. Variables are not expanded yet. */
export function parseInstruction(line: InstructionLine): Instruction {
  return locate(line.lines, () => {
    const parse = parsers.get(line.name.toLowerCase())
    if (!parse) throw unknownInstruction(line.name)
    return parse(line)
  })
}

const parsers: ReadonlyMap<string, (line: InstructionLine) => Instruction> = new Map<
  InstructionKind,
  (line: InstructionLine) => Instruction
>([
  ['add', parseAdd],
  ['arg', parseArg],
  ['cmd', (line) => ({ kind: 'cmd', line, command: commandOf(line) })],
  ['copy', parseCopy],
  ['entrypoint', (line) => ({ kind: 'entrypoint', line, command: commandOf(line) })],
  ['env', (line) => ({ kind: 'env', line, pairs: parsePairs(line) })],
  ['expose', (line) => ({ kind: 'expose', line, words: wordsOf(line) })],
  ['from', parseFrom],
  ['healthcheck', (line) => ({ kind: 'healthcheck', line, healthcheck: parseHealthcheck(line) })],
  ['label', (line) => ({ kind: 'label', line, pairs: parsePairs(line) })],
  ['maintainer', (line) => ({ kind: 'maintainer', line, text: textOf(line) })],
  ['onbuild', (line) => ({ kind: 'onbuild', line, expression: parseTrigger(line) })],
  ['run', parseRun],
  ['shell', parseShell],
  ['stopsignal', (line) => ({ kind: 'stopsignal', line, text: textOf(line) })],
  ['user', (line) => ({ kind: 'user', line, text: textOf(line) })],
  ['volume', (line) => ({ kind: 'volume', line, words: parseVolumes(line) })],
  ['workdir', (line) => ({ kind: 'workdir', line, path: textOf(line) })],
])

function unknownInstruction(name: string): Error {
  const meant = closest(name, [...parsers.keys()])
  return invalid(`unknown instruction: ${name}${meant === undefined ? '' : ` (did you mean ${meant.toUpperCase()}?)`}`)
}

function commandOf(line: InstructionLine) {
  readFlags(line)
  return parseCommand(line.rest)
}

function textOf(line: InstructionLine): string {
  readFlags(line)
  if (!line.rest) throw invalid(`${line.name.toUpperCase()} requires exactly one argument`)
  return line.rest
}

function wordsOf(line: InstructionLine): string[] {
  readFlags(line)
  const words = line.rest.split(/\s+/).filter(Boolean)
  if (words.length === 0) throw invalid(`${line.name.toUpperCase()} requires at least one argument`)
  return words
}

function parseVolumes(line: InstructionLine): readonly string[] {
  readFlags(line)
  const written = parseJsonForm(line.rest) ?? wordsOf(line)
  if (written.length === 0) throw invalid('VOLUME requires at least one argument')
  const paths = written.map((path) => path.trim())
  if (paths.includes('')) throw invalid('VOLUME specified can not be an empty string')
  return paths
}

function parseShell(line: InstructionLine): Instruction {
  readFlags(line)
  const args = parseJsonForm(line.rest)
  if (!args) {
    if (line.rest === '') throw invalid('SHELL requires at least one argument')
    throw invalid('SHELL requires the arguments to be in JSON form')
  }
  if (args.length === 0) throw invalid('SHELL requires at least one argument')
  return { kind: 'shell', line, command: { args, isShell: false } }
}

function parseArg(line: InstructionLine): ArgInstruction {
  readFlags(line)
  const words = splitWords(line.rest, line.escape)
  if (words.length === 0) throw invalid('ARG requires at least one argument')
  return { kind: 'arg', line, args: words.map(parseArgWord) }
}

function parseArgWord(word: string): ArgInstruction['args'][number] {
  const equals = word.indexOf('=')
  const name = equals < 0 ? word : word.slice(0, equals)
  if (name === '') throw invalid('ARG names can not be blank')
  return { name, value: equals < 0 ? undefined : word.slice(equals + 1) }
}

/** What ONBUILD keeps: the instruction as it is written, its documents with it. */
function parseTrigger(line: InstructionLine): string {
  readFlags(line)
  if (!line.rest) throw invalid('ONBUILD requires at least one argument')
  const trigger = parseLine(line.rest, line.escape).name.toUpperCase()
  if (trigger === 'ONBUILD') throw invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
  if (trigger === 'FROM' || trigger === 'MAINTAINER') throw invalid(`${trigger} isn't allowed as an ONBUILD trigger`)
  return line.rest + line.heredocs.map(({ name, content }) => `\n${content}${name}`).join('')
}
