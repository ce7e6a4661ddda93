import { invalid } from '@berth/base'
import type { InstructionLine } from '../lines/parse-lines.ts'
import { readFlags } from './flags.ts'
import type { FromInstruction } from './types.ts'

/** `FROM [--platform=] image [AS name]`. */
export function parseFrom(line: InstructionLine): FromInstruction {
  const words = line.rest.split(/\s+/).filter(Boolean)
  const stageName = parseStageName(words)
  const platform = readFlags(line, { text: ['platform'] }).text('platform') ?? ''
  return { kind: 'from', line, base: words[0] as string, stageName, platform }
}

function parseStageName(words: readonly string[]): string {
  if (words.length === 1) return ''
  const [, as = '', name = ''] = words
  if (words.length !== 3 || as.toLowerCase() !== 'as') throw invalid('FROM requires either one or three arguments')
  if (!/^[a-z][a-z0-9-_.]*$/.test(name.toLowerCase())) {
    throw invalid(
      `invalid name for build stage: ${JSON.stringify(name)}, name can't start with a number or contain symbols`,
    )
  }
  return name.toLowerCase()
}
