import type { ListenTarget } from '@berth/api'
import { type Database, openDatabase } from '@berth/database'
import { createEvents, type Events } from '@berth/events'
import { adoptStrayControllers } from '@berth/linux'
import { ensureDefaultAppArmorProfile, type HostFacts, readHostFacts } from '@berth/runtime'
import { statfs } from 'node:fs/promises'
import type { Config } from './config/config.ts'
import { listenTargets } from './listen-targets.ts'
import type { DaemonLogger } from './logger.ts'
import { closeOthers } from './passed-sockets.ts'
import { type Paths, planPaths } from './paths.ts'
import { deriveSettings, type Settings } from './settings.ts'
import { type ProgramFiles, programFiles } from './program-files.ts'
import { takeRoots } from './take-roots.ts'

/** How this process was started. */
export interface Start {
  /** What relative paths of the command line are as of. */
  readonly directory: string
  /** Descriptors of the sockets that the service manager has passed. */
  readonly sockets: readonly number[]
}

/** What the parts of the engine stand on. */
export interface Host {
  /** As of the start; a reload changes `live`. */
  readonly initial: Config
  readonly live: { settings: Settings }
  readonly logger: DaemonLogger
  readonly paths: Paths
  readonly programs: ProgramFiles
  /** Where the API is to be. */
  readonly targets: readonly ListenTarget[]
  readonly facts: HostFacts
  /** Controllers of the v2 tree that were mounted as version 1. */
  readonly adopted: readonly string[]
  readonly database: Database
  readonly events: Events
}

/** Takes the engine's directories and looks at the machine; what is to be released goes on the stack. */
export async function openHost(
  stack: AsyncDisposableStack,
  initial: Config,
  { logger, start }: { readonly logger: DaemonLogger; readonly start: Start },
): Promise<Host> {
  const paths = planPaths(initial)
  const targets = listenTargets(initial, paths, start.sockets)
  const files = initial.has('config-file') ? [initial.get('config-file', '')] : []
  stack.use(await takeRoots(paths, { ...start, files }, logger))
  closeOthers(
    start.sockets,
    targets.flatMap((target) => (target.kind === 'fd' ? [target.fd] : [])),
  )
  const live = { settings: deriveSettings(initial, await diskBytes(paths.dataRoot)) }
  const adopted = adoptStrayControllers()
  const facts = readHostFacts({ initProgram: initial.get('init-path', '') })
  if (facts.hasAppArmor) await ensureDefaultAppArmorProfile()
  const database = stack.use(openDatabase(paths.database))
  const programs = programFiles(process.argv[1] ?? '')
  return { initial, live, logger, paths, programs, targets, facts, adopted, database, events: createEvents() }
}

async function diskBytes(directory: string): Promise<number> {
  const { blocks, bsize } = await statfs(directory)
  return blocks * bsize
}
