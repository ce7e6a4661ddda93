import { invalid } from '@berth/base'
import type { ImageRunConfig } from '@berth/oci'
import { posix } from 'node:path'
import type { CommandLine, ConfigInstruction, Pair, WorkdirInstruction } from '../instructions/types.ts'
import { type Expanding, expandWord, expandWords } from '../words/expand-word.ts'
import { parseExposedPorts } from './exposed-ports.ts'
import { requireSignal } from './stop-signal.ts'

/** A configuration while instructions are applied to it. */
export interface ConfigDraft {
  readonly config: ImageRunConfig
  readonly author?: string
  /** A CMD was among the instructions: a later ENTRYPOINT leaves it. */
  readonly isCmdSet: boolean
}

/** `draft` after an instruction that changes the configuration only. Throws `invalid` in Docker's words. */
export function applyInstruction(
  draft: ConfigDraft,
  instruction: ConfigInstruction | WorkdirInstruction,
  expanding: Expanding,
): ConfigDraft {
  const { config } = draft
  const changed = (change: ImageRunConfig): ConfigDraft => ({ ...draft, config: { ...config, ...change } })
  const { kind } = instruction
  switch (kind) {
    case 'cmd':
      return { ...changed({ Cmd: commandLine(config, instruction.command) }), isCmdSet: true }
    case 'entrypoint':
      return applyEntrypoint(draft, instruction.command)
    case 'shell':
      return changed({ Shell: [...instruction.command.args] })
    case 'env':
      return changed({ Env: mergedEnv(config.Env ?? [], expandPairs(instruction.pairs, expanding)) })
    case 'label':
      return changed({ Labels: labels(config, expandPairs(instruction.pairs, expanding)) })
    case 'expose':
      return changed(exposed(config, instruction.words, expanding))
    case 'volume':
      return changed(volumes(config, instruction.words, expanding))
    case 'workdir':
      return changed({ WorkingDir: workingDirectory(config, instruction.path, expanding) })
    case 'healthcheck':
      return changed({ Healthcheck: instruction.healthcheck })
    case 'onbuild':
      return changed({ OnBuild: [...(config.OnBuild ?? []), instruction.expression] })
    case 'user':
      return changed({ User: expandWord(instruction.text, expanding) })
    case 'stopsignal':
      return changed({ StopSignal: stopSignal(instruction.text, expanding) })
    case 'maintainer':
      return { ...draft, author: instruction.text }
  }
}

function applyEntrypoint(draft: ConfigDraft, command: CommandLine): ConfigDraft {
  // An empty one counts as none: the container's own then comes back when the two are merged.
  const Entrypoint = command.args.length === 0 ? null : commandLine(draft.config, command)
  return { ...draft, config: { ...draft.config, Entrypoint, ...(!draft.isCmdSet && { Cmd: null }) } }
}

/** The exec form as it is, the shell form behind the image's shell. */
export function commandLine(config: ImageRunConfig, { args, isShell }: CommandLine): string[] {
  return isShell ? [...shellOf(config), ...args] : [...args]
}

export const shellOf = ({ Shell }: ImageRunConfig): readonly string[] => (Shell?.length ? Shell : ['/bin/sh', '-c'])

/** Names and values with their variables expanded. */
export const expandPairs = (pairs: readonly Pair[], expanding: Expanding): Pair[] =>
  pairs.map(([name, value]) => [expandWord(name, expanding), expandWord(value, expanding)])

function mergedEnv(before: readonly string[], pairs: readonly Pair[]): string[] {
  const env = [...before]
  for (const [name, value] of pairs) {
    const at = env.findIndex((entry) => entry.split('=', 1)[0] === name)
    env.splice(at < 0 ? env.length : at, 1, `${name}=${value}`)
  }
  return env
}

/** fromEntries defines own properties: a label `__proto__` stays one. */
const labels = ({ Labels }: ImageRunConfig, pairs: readonly Pair[]): Record<string, string> =>
  Object.fromEntries([...Object.entries(Labels ?? {}), ...pairs])

function exposed({ ExposedPorts }: ImageRunConfig, words: readonly string[], expanding: Expanding): ImageRunConfig {
  const ports = parseExposedPorts(words.toSorted().flatMap((word) => expandWords(word, expanding)))
  return { ExposedPorts: { ...ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) } }
}

function volumes({ Volumes }: ImageRunConfig, words: readonly string[], expanding: Expanding): ImageRunConfig {
  const paths = words.map((path) => expandWord(path, expanding).trim())
  if (paths.includes('')) throw invalid('VOLUME specified can not be an empty string')
  return { Volumes: { ...Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) } }
}

function workingDirectory({ WorkingDir }: ImageRunConfig, text: string, expanding: Expanding): string {
  const path = expandWord(text, expanding)
  if (path === '') throw invalid('cannot normalize nothing')
  return posix.resolve('/', WorkingDir ?? '', path)
}

function stopSignal(text: string, expanding: Expanding): string {
  const signal = expandWord(text, expanding)
  requireSignal(signal)
  return signal
}

/** The variables of a configuration. */
export function environmentOf({ Env }: ImageRunConfig): Map<string, string> {
  return new Map(
    (Env ?? []).map((entry) => {
      const equals = entry.indexOf('=')
      return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)]
    }),
  )
}
