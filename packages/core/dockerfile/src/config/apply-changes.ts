import { invalid } from '@berth/base'
import type { ImageRunConfig } from '@berth/oci'
import { parseInstruction } from '../instructions/parse-instruction.ts'
import type { ConfigInstruction, Instruction, WorkdirInstruction } from '../instructions/types.ts'
import { parseLines } from '../lines/parse-lines.ts'
import { applyInstruction, type ConfigDraft, environmentOf } from './apply-instruction.ts'

/**
 * `config` after Dockerfile instructions that need no build: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD,
 * STOPSIGNAL, USER, VOLUME and WORKDIR. Throws `invalid` in the words of Docker's builder.
 */
export function applyChanges(config: ImageRunConfig, changes: readonly string[]): ImageRunConfig {
  if (changes.length === 0) return config
  const { instructions } = parseLines(changes.join('\n'))
  for (const { name } of instructions) {
    if (!allowed.includes(name.toLowerCase())) throw invalid(`${name} is not a valid change command`)
  }
  let draft: ConfigDraft = { config, isCmdSet: false }
  for (const line of instructions) {
    const instruction = parseInstruction(line)
    if (!isChange(instruction)) throw invalid(`${line.name} is not a valid change command`)
    draft = applyInstruction(draft, instruction, { environment: environmentOf(draft.config) })
  }
  return draft.config
}

const allowed: readonly string[] = [
  'cmd',
  'entrypoint',
  'env',
  'expose',
  'healthcheck',
  'label',
  'onbuild',
  'stopsignal',
  'user',
  'volume',
  'workdir',
]

const isChange = (instruction: Instruction): instruction is ConfigInstruction | WorkdirInstruction =>
  allowed.includes(instruction.kind)
