import type { AnyCommand } from './command.ts'

interface CommandModule {
  readonly command: AnyCommand
}

/** A name of the command tree: a command, loaded when it runs, or a group of them. */
export interface Entry {
  readonly summary: string
  readonly load?: () => Promise<CommandModule>
  readonly children?: Readonly<Record<string, Entry>>
  /** What follows a group's name in the usage line of its errors; docker has it for some only. */
  readonly usage?: 'COMMAND'
  /** Works, but is not listed: another name for a listed one. */
  readonly alias?: boolean
  /** The plugin of docker that does this, if it is installed; without it, what is here. */
  readonly plugin?: string
  /** Known, and not there yet. */
  readonly missing?: boolean
}

/** The entry under another name, which is not listed. */
export const alias = (entry: Entry): Entry => ({ ...entry, alias: true })
