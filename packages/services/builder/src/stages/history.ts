import { formatGoDuration } from '@berth/base'
import { type CopyInstruction, type Instruction, shellOf } from '@berth/dockerfile'
import type { HistoryEntry, ImageRunConfig } from '@berth/oci'

/** How the steps of a build are told in the image's history. */
export interface HistoryWords {
  run(command: readonly string[], args: readonly string[]): string
  copy(instruction: CopyInstruction, source: { readonly isDirectory: boolean; readonly digest: string }): string
  config(text: string, config: ImageRunConfig): string
  workdir(path: string, config: ImageRunConfig): string
  readonly comment: string | undefined
}

/** As Docker's classic builder tells it. */
const classic: HistoryWords = {
  comment: undefined,
  run: (command, args) => withCount(args.toSorted(), command.join(' ')),
  copy: ({ kind, destination, ...copy }, { isDirectory, digest }) => {
    const source = `${isDirectory ? 'dir' : 'file'}:${digest.replace(/^sha256:/, '')}`
    const flags = ownerFlags(copy)
    return `/bin/sh -c #(nop) ${[kind.toUpperCase(), ...flags, source].join(' ')} in ${destination} `
  },
  config: (text, config) => `${shellOf(config).join(' ')} #(nop)  ${text}`,
  workdir: (path, config) => `${shellOf(config).join(' ')} #(nop) WORKDIR ${path}`,
}

/** As BuildKit's Dockerfile frontend tells it. */
const buildkit: HistoryWords = {
  comment: 'buildkit.dockerfile.v0',
  run: (command, args) => `RUN ${withCount(args, command.join(' '))} # buildkit`,
  copy: (instruction) => `${copyText(instruction)} # buildkit`,
  config: (text) => text,
  workdir: (path) => `WORKDIR ${path}`,
}

const withCount = (args: readonly string[], command: string): string =>
  args.length === 0 ? command : `|${args.length} ${args.join(' ')} ${command}`

export const historyWords = (style: 'classic' | 'buildkit'): HistoryWords => (style === 'classic' ? classic : buildkit)

/** One entry of the history. */
export function historyEntry(
  words: HistoryWords,
  createdBy: string,
  options: { readonly created: string; readonly isEmpty: boolean; readonly author: string | undefined },
): HistoryEntry {
  return {
    created: options.created,
    created_by: createdBy,
    ...(options.author !== undefined && { author: options.author }),
    ...(words.comment !== undefined && { comment: words.comment }),
    ...(options.isEmpty && { empty_layer: true }),
  }
}

const ownerFlags = ({ chown, chmod }: Pick<CopyInstruction, 'chown' | 'chmod'>): string[] => [
  ...(chown === '' ? [] : [`--chown=${chown}`]),
  ...(chmod === '' ? [] : [`--chmod=${chmod}`]),
]

function copyText({ kind, sources, destination, files, ...copy }: CopyInstruction): string {
  const flags = ownerFlags(copy)
  const names = [...sources, ...files.map(({ name }) => `<<${name}`)]
  return [kind.toUpperCase(), ...flags, ...names, destination].join(' ')
}

/** How an instruction that only changes the configuration reads, variables expanded. */
export function describeInstruction(
  instruction: Instruction,
  config: ImageRunConfig,
  style: 'classic' | 'buildkit',
): string {
  const name = instruction.kind.toUpperCase()
  switch (instruction.kind) {
    case 'cmd':
    case 'entrypoint':
      return `${name} ${goStrings((instruction.kind === 'cmd' ? config.Cmd : config.Entrypoint) ?? [])}`
    case 'shell':
      return `${name} ${goWords(instruction.command.args)}`
    case 'volume':
      return `${name} ${goWords(instruction.words)}`
    case 'healthcheck':
      return `${name} ${style === 'classic' ? goHealth(instruction.healthcheck) : goQuotedHealth(instruction.healthcheck)}`
    case 'expose':
      return style === 'classic'
        ? written(name, instruction)
        : `${name} ${goWords(Object.keys(config.ExposedPorts ?? {}))}`
    default:
      return written(name, instruction)
  }
}

const written = (name: string, { line }: Instruction): string => line.text.replace(/^\S+\s*/, `${name} `)

type Health = NonNullable<ImageRunConfig['Healthcheck']>

const durationsOf = ({ Interval, Timeout, StartPeriod, StartInterval }: Health): string[] =>
  [Interval, Timeout, StartPeriod, StartInterval].map((ns) => formatGoDuration(ns ?? 0))

/** How Go prints the structure with %v. */
const goHealth = (health: Health): string =>
  `&{${goWords(health.Test ?? [])} ${durationsOf(health).join(' ')} ${health.Retries ?? 0}}`

/** And with %q: a number is a character then. */
const goQuotedHealth = (health: Health): string => {
  const retries = health.Retries ?? 0
  const character =
    retries < 32 ? `'\\x${retries.toString(16).padStart(2, '0')}'` : `'${String.fromCodePoint(retries)}'`
  const durations = durationsOf(health).map((text) => JSON.stringify(text))
  return `&{${goStrings(health.Test ?? [])} ${durations.join(' ')} ${character}}`
}

/** `["a" "b"]`: how Go prints strings with %q. */
const goStrings = (words: readonly string[]): string => `[${words.map((word) => JSON.stringify(word)).join(' ')}]`
/** `[a b]`: how Go prints strings with %v. */
const goWords = (words: readonly string[]): string => `[${words.join(' ')}]`
