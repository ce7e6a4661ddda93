import { invalid } from '@berth/base'
import type { ImageRunConfig } from '@berth/oci'
import { posix } from 'node:path'
import { type Environment, expandWord, expandWords } from './expand-word.ts'
import { parseExposedPorts } from './exposed-ports.ts'
import { parseHealthcheck } from './healthcheck.ts'
import {
  type Instruction,
  parseInstruction,
  parseInstructions,
  parseJsonForm,
  readFlags,
  splitWords,
} from './parse-instructions.ts'
import { requireSignal } from './stop-signal.ts'

interface Draft {
  config: ImageRunConfig
  /** A CMD was among the changes: a later ENTRYPOINT leaves it. */
  isCmdSet: boolean
}

type Apply = (draft: Draft, instruction: Instruction) => void

/**
 * `config` after Dockerfile instructions that need no build: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD,
 * STOPSIGNAL, USER, VOLUME and WORKDIR. Throws `invalid` in the words of Docker's builder.
 */
export function applyChanges(config: ImageRunConfig, changes: readonly string[]): ImageRunConfig {
  if (changes.length === 0) return config
  const instructions = parseInstructions(changes)
  const applied = instructions.map((instruction) => {
    const apply = commands.get(instruction.name.toLowerCase())
    if (!apply) throw invalid(`${instruction.name} is not a valid change command`)
    return (draft: Draft) => apply(draft, instruction)
  })
  const draft: Draft = { config: { ...config }, isCmdSet: false }
  for (const apply of applied) apply(draft)
  return draft.config
}

const commands: ReadonlyMap<string, Apply> = new Map<string, Apply>([
  ['cmd', applyCmd],
  ['entrypoint', applyEntrypoint],
  ['env', applyEnv],
  ['expose', applyExpose],
  ['healthcheck', ({ config }, instruction) => void (config.Healthcheck = parseHealthcheck(instruction))],
  ['label', applyLabel],
  ['onbuild', applyOnBuild],
  ['stopsignal', applyStopSignal],
  [
    'user',
    ({ config }, instruction) => void (config.User = expandWord(oneArgument(instruction), environmentOf(config))),
  ],
  ['volume', applyVolume],
  ['workdir', applyWorkdir],
])

function applyCmd(draft: Draft, instruction: Instruction): void {
  draft.config.Cmd = commandLine(draft, instruction)
  draft.isCmdSet = true
}

function applyEntrypoint(draft: Draft, instruction: Instruction): void {
  // An empty one counts as none: the container's own then comes back when the two are merged.
  const isEmpty = instruction.rest === '' || parseJsonForm(instruction.rest)?.length === 0
  draft.config.Entrypoint = isEmpty ? null : commandLine(draft, instruction)
  if (!draft.isCmdSet) draft.config.Cmd = null
}

/** The JSON form as it is, the shell form behind the image's shell. */
function commandLine({ config }: Draft, instruction: Instruction): string[] {
  readFlags(instruction, [])
  const json = parseJsonForm(instruction.rest)
  if (json) return json
  const shell = config.Shell?.length ? config.Shell : ['/bin/sh', '-c']
  return instruction.rest ? [...shell, instruction.rest] : shell
}

function applyEnv({ config }: Draft, instruction: Instruction): void {
  const environment = environmentOf(config)
  const env = [...(config.Env ?? [])]
  for (const [name, value] of pairs(instruction, environment)) {
    const at = env.findIndex((entry) => entry.split('=', 1)[0] === name)
    env.splice(at < 0 ? env.length : at, 1, `${name}=${value}`)
  }
  config.Env = env
}

function applyLabel({ config }: Draft, instruction: Instruction): void {
  // fromEntries defines own properties: a label `__proto__` stays one.
  config.Labels = Object.fromEntries([
    ...Object.entries(config.Labels ?? {}),
    ...pairs(instruction, environmentOf(config)),
  ])
}

/** `a=b c="d e"`, or the old form `a b c` of one pair. */
function pairs(instruction: Instruction, environment: Environment): [string, string][] {
  readFlags(instruction, [])
  const { rest } = instruction
  const name = instruction.name.toUpperCase()
  const words = splitWords(rest)
  const [first] = words
  if (first === undefined) throw invalid(`${name} requires at least one argument`)
  const written = first.includes('=') ? words.map(splitPair) : [splitOldPair(name, rest)]
  return written.map(([key, value]) => {
    const expanded = expandWord(key, environment)
    if (expanded === '') throw invalid(`${name} names can not be blank`)
    return [expanded, expandWord(value, environment)]
  })
}

function splitPair(word: string): [string, string] {
  const equals = word.indexOf('=')
  if (equals < 0) {
    throw invalid(`Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`)
  }
  return [word.slice(0, equals), word.slice(equals + 1)]
}

function splitOldPair(name: string, rest: string): [string, string] {
  const [, key, value] = /^(\S+)\s+([^]+)$/.exec(rest) ?? []
  if (key === undefined || value === undefined) throw invalid(`${name} must have two arguments`)
  return [key, value]
}

function applyExpose({ config }: Draft, instruction: Instruction): void {
  const words = argumentsOf(instruction).flatMap((word) => expandWords(word, environmentOf(config)))
  const ports = parseExposedPorts(words)
  config.ExposedPorts = { ...config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) }
}

function applyVolume({ config }: Draft, instruction: Instruction): void {
  readFlags(instruction, [])
  const written = parseJsonForm(instruction.rest) ?? argumentsOf(instruction)
  if (written.length === 0) throw invalid('VOLUME requires at least one argument')
  const paths = written.map((path) => expandWord(path, environmentOf(config)).trim())
  if (paths.includes('')) throw invalid('VOLUME specified can not be an empty string')
  config.Volumes = { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) }
}

function applyWorkdir({ config }: Draft, instruction: Instruction): void {
  const path = expandWord(oneArgument(instruction), environmentOf(config))
  if (path === '') throw invalid('cannot normalize nothing')
  config.WorkingDir = posix.resolve('/', config.WorkingDir ?? '', path)
}

function applyStopSignal({ config }: Draft, instruction: Instruction): void {
  const signal = expandWord(oneArgument(instruction), environmentOf(config))
  requireSignal(signal)
  config.StopSignal = signal
}

function applyOnBuild({ config }: Draft, instruction: Instruction): void {
  readFlags(instruction, [])
  if (!instruction.rest) throw invalid('ONBUILD requires at least one argument')
  const trigger = parseInstruction(instruction.rest).name.toUpperCase()
  if (trigger === 'ONBUILD') throw invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
  if (trigger === 'FROM' || trigger === 'MAINTAINER') throw invalid(`${trigger} isn't allowed as an ONBUILD trigger`)
  config.OnBuild = [...(config.OnBuild ?? []), instruction.rest]
}

function oneArgument(instruction: Instruction): string {
  readFlags(instruction, [])
  if (!instruction.rest) throw invalid(`${instruction.name.toUpperCase()} requires exactly one argument`)
  return instruction.rest
}

function argumentsOf(instruction: Instruction): string[] {
  readFlags(instruction, [])
  const words = instruction.rest.split(/\s+/).filter(Boolean)
  if (words.length === 0) throw invalid(`${instruction.name.toUpperCase()} requires at least one argument`)
  return words
}

function environmentOf(config: ImageRunConfig): Environment {
  return new Map(
    (config.Env ?? []).map((entry) => {
      const equals = entry.indexOf('=')
      return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)]
    }),
  )
}
