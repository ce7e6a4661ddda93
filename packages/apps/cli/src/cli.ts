import { isatty } from 'node:tty'
import type { EngineClient } from '@berth/engine-client'
import type { ConfigFile } from './config-file.ts'
import type { ContextSources } from './context/current-context.ts'
import type { GlobalFlags } from './global-flags.ts'
import { writeAll } from './output/write.ts'

/** What a command works with: the engine, the user's configuration, and where its words go. */
export interface Cli {
  /** Made at the first use. */
  readonly engine: EngineClient
  readonly env: Readonly<Record<string, string | undefined>>
  readonly globals: GlobalFlags
  readonly config: ConfigFile
  /** Where config.json and the contexts are. */
  readonly configDirectory: string
  /** What decides the context in use. */
  readonly contextSources: ContextSources
  /** `berth container ls`: what the user typed to reach the command. */
  readonly commandPath: string
  /** Writes to standard output, all of it, at once. */
  out(text: string | Uint8Array): void
  err(text: string | Uint8Array): void
  isTerminal(fd: 0 | 1 | 2): boolean
}

export interface CliSources {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly globals: GlobalFlags
  readonly commandPath: string
  readonly configDirectory: string
  readonly connect: (config: ConfigFile) => EngineClient
  readonly readConfig: () => ConfigFile
}

export function createCli(sources: CliSources): Cli {
  let engine: EngineClient | undefined
  let config: ConfigFile | undefined
  const readConfig = (): ConfigFile => (config ??= sources.readConfig())
  return {
    get engine() {
      return (engine ??= sources.connect(readConfig()))
    },
    get config() {
      return readConfig()
    },
    get contextSources() {
      return { flags: sources.globals, env: sources.env, config: readConfig() }
    },
    configDirectory: sources.configDirectory,
    env: sources.env,
    globals: sources.globals,
    commandPath: sources.commandPath,
    out: (text) => writeAll(1, text),
    err: (text) => writeAll(2, text),
    isTerminal: (fd) => isatty(fd),
  }
}
