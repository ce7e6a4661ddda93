import type { ImageRunConfig } from '@berth/oci'
import type { InstructionLine } from '../lines/parse-lines.ts'

/** A command in exec form as it is, in shell form one text for the image's shell. */
export interface CommandLine {
  readonly args: readonly string[]
  readonly isShell: boolean
}

/** A file whose content stands in the Dockerfile. */
export interface InlineFile {
  readonly name: string
  readonly content: string
  /** With the tabs that `<<-` drops, for a shell to read. */
  readonly written: string
  readonly expand: boolean
}

export type Pair = readonly [name: string, value: string]

interface Base {
  readonly line: InstructionLine
}

export interface FromInstruction extends Base {
  readonly kind: 'from'
  readonly base: string
  /** Lower case; '' without a name. */
  readonly stageName: string
  readonly platform: string
}

export interface ArgInstruction extends Base {
  readonly kind: 'arg'
  readonly args: readonly { readonly name: string; readonly value: string | undefined }[]
}

export interface RunInstruction extends Base {
  readonly kind: 'run'
  readonly command: CommandLine
  readonly files: readonly InlineFile[]
  readonly mounts: readonly string[]
  readonly network: 'default' | 'none' | 'host'
  readonly security: 'sandbox' | 'insecure'
  readonly devices: readonly string[]
}

export interface CopyInstruction extends Base {
  readonly kind: 'copy' | 'add'
  readonly sources: readonly string[]
  readonly files: readonly InlineFile[]
  readonly destination: string
  readonly from: string
  readonly chown: string
  readonly chmod: string
  readonly isLink: boolean
  readonly keepsParents: boolean
  readonly exclude: readonly string[]
  /** ADD only. */
  readonly keepsGitDirectory: boolean
  readonly checksum: string
  /** undefined: archives of the context are unpacked, downloaded ones are not. */
  readonly unpacks: boolean | undefined
}

export interface CommandInstruction extends Base {
  readonly kind: 'cmd' | 'entrypoint' | 'shell'
  readonly command: CommandLine
}

/** Instructions that change the configuration and nothing else. */
export type ConfigInstruction =
  | CommandInstruction
  | (Base & { readonly kind: 'env' | 'label'; readonly pairs: readonly Pair[] })
  | (Base & { readonly kind: 'expose' | 'volume'; readonly words: readonly string[] })
  | (Base & { readonly kind: 'user' | 'stopsignal' | 'maintainer'; readonly text: string })
  | (Base & { readonly kind: 'healthcheck'; readonly healthcheck: NonNullable<ImageRunConfig['Healthcheck']> })
  | (Base & { readonly kind: 'onbuild'; readonly expression: string })

export interface WorkdirInstruction extends Base {
  readonly kind: 'workdir'
  readonly path: string
}

/** What may stand in a stage. */
export type StageInstruction =
  | ArgInstruction
  | RunInstruction
  | CopyInstruction
  | WorkdirInstruction
  | ConfigInstruction

export type Instruction = FromInstruction | StageInstruction
export type InstructionKind = Instruction['kind']
