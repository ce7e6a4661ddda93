import type { AnyCommand } from './command.ts'

interface CommandModule {
  readonly command: AnyCommand
}

/** A name of the command tree: a command, loaded when it runs, or a group of them. */
export interface Entry {
  readonly summary: string
  readonly load?: () => Promise<CommandModule>
  readonly children?: Readonly<Record<string, Entry>>
  /** Works, but is not listed: another name for a listed one. */
  readonly alias?: boolean
  /** The plugin of docker that does this, if it is installed; without it, what is here. */
  readonly plugin?: string
  /** Known, and not there yet. */
  readonly missing?: boolean
}

/** The entry under another name, which is not listed. */
export const alias = (entry: Entry): Entry => ({ ...entry, alias: true })
