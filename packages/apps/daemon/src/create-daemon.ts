import { createApi } from '@berth/api'
import { codeOf, conflict, fault } from '@berth/base'
import { type Entitlement, openBuilder, type PruneRule } from '@berth/builder'
import { type OpenContainers, openContainers } from '@berth/containers'
import { openDatabase } from '@berth/database'
import { createEvents, eventFilter } from '@berth/events'
import { openImages, openSignatureGate } from '@berth/images'
import { adoptStrayControllers, lockFile, releaseStrayControllers, trimMemory } from '@berth/linux'
import { openNetworks } from '@berth/networks'
import { createRegistries } from '@berth/registry'
import {
  ensureDefaultAppArmorProfile,
  openDescriptorStore,
  openRuntime,
  readHostFacts,
  readLogs,
  supervisorElsewhere,
} from '@berth/runtime'
import { openStorage } from '@berth/storage'
import { openVolumes } from '@berth/volumes'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { collectGarbage } from './collect-garbage.ts'
import { checkEngine } from './check-engine.ts'
import { buildkitOnDemand } from './buildkit-on-demand.ts'
import { cacheRules } from './cache-rules.ts'
import { historyLimits } from './history-limits.ts'
import type { Config } from './config/config.ts'
import type { BuilderEntry } from './config/values.ts'
import { cgroupParent, containerDefaults } from './container-defaults.ts'
import { engineId } from './engine-id.ts'
import { joinMounts } from './join-mounts.ts'
import { listenTargets } from './listen-targets.ts'
import { type DaemonLogger, logLevel } from './logger.ts'
import { networkSettings } from './network-settings.ts'
import { makeDirectories, planPaths } from './paths.ts'
import { programFiles } from './program-files.ts'
import { registrySettings, transferLimits } from './registry-settings.ts'
import { reloadAttributes } from './reload-attributes.ts'
import { runDefaults } from './run-defaults.ts'
import { runtimeSettings } from './runtime-settings.ts'
import { engineVersion } from './version.ts'
import { minFreeSpace, storageDriver } from './storage-settings.ts'
import { createSystem } from './system.ts'
import { trimWhenSettled } from './trim-when-settled.ts'

export interface Daemon extends AsyncDisposable {
  /** Serves on every configured address; resolves once all of them listen. */
  listen(): Promise<void>
  /** Takes the reloadable settings of `fresh`, and logs them. Throws `invalid`, and changes nothing, where one is wrong. */
  reload(fresh: Config): void
}

/**
 * Builds the engine top to bottom; what was built is released in reverse, also when a later step fails. `startDirectory`:
 * what relative paths of the command line are as of.
 */
export async function createDaemon(initial: Config, logger: DaemonLogger, startDirectory: string): Promise<Daemon> {
  let config = initial
  await using stack = new AsyncDisposableStack()
  const paths = planPaths(config)
  await makeDirectories(paths)
  stack.use(claim(paths.dataRoot, 'data-root'))
  stack.use(claim(paths.runRoot, 'exec-root'))
  const supervisorPid = await supervisorElsewhere(paths.runRoot)
  if (supervisorPid !== undefined) {
    logger.warn({ supervisorPid }, 'joins the mount namespace of the containers that run already')
    joinMounts(supervisorPid, startDirectory)
  }
  const adopted = adoptStrayControllers()
  const facts = readHostFacts({ initProgram: config.get('init-path', '') })
  if (facts.hasAppArmor) await ensureDefaultAppArmorProfile()

  const database = stack.use(openDatabase(paths.database))
  const events = createEvents()
  const { supervisor, layerWorker } = programFiles(process.argv[1] ?? '')
  const driver = storageDriver(config)
  const worker = { file: layerWorker }
  const spaceFloor = () => minFreeSpace(config)
  const storage = stack.use(
    await openStorage({ root: paths.dataRoot, database, logger, driver, worker, fault, spaceFloor }),
  )
  const { content, snapshots, copies, leases, space } = storage
  const registries = stack.use(createRegistries(registrySettings(config)))
  const concurrency = () => transferLimits(config)
  const gate = config.has('signature-policy')
    ? openSignatureGate(config.get('signature-policy', ''), logger)
    : undefined
  const images = stack.use(
    await openImages({ database, content, snapshots, events, logger, leases, space, registries, concurrency, gate }),
  )
  stack.use(storage.addRoots(() => images.gcRoots()))
  const volumes = stack.use(await openVolumes({ root: paths.dataRoot, database, events, logger, worker }))
  const { runRoot } = paths
  const runtime = stack.use(
    await openRuntime({ runRoot, supervisor: { script: supervisor }, logger, ...runtimeSettings(config) }),
  )
  const descriptors = stack.use(await openDescriptorStore({ runRoot, logger }))
  const targets = listenTargets(config, paths)
  const apiPorts = targets.flatMap((target) => (target.kind === 'tcp' && target.port > 0 ? [target.port] : []))
  const networks = stack.use(
    await openNetworks({ descriptors, database, runRoot, logger, events, apiPorts, ...networkSettings(config) }),
  )
  const defaults = await containerDefaults(config, runtime, paths.dataRoot)
  const containers = await openContainers({
    database,
    images,
    snapshots,
    volumes,
    copies,
    networks,
    runtime,
    readLogs,
    events,
    logger,
    facts,
    defaults: () => defaults(config),
    directory: paths.containers,
  })
  stack.use(containers)
  const rulesOf = await cacheRulesOf(paths.dataRoot)
  let rules = rulesOf(config)
  const historyOf = (of: Config) => historyLimits(of.get('builder', {} as BuilderEntry))
  let remembered = historyOf(config)
  const builder = await openBuilder({
    database,
    images,
    remotes: registries,
    storage,
    networks,
    runtime,
    facts,
    logger,
    dataRoot: paths.dataRoot,
    runRoot,
    defaults: () => runDefaults(defaults(config), facts),
    collect: storage.collect,
    rules: () => rules,
  })
  stack.use(builder)
  stack.use(storage.addRoots(() => builder.gcRoots()))
  images.spare(() => builder.gcRoots())
  const buildkit = stack.use(
    buildkitOnDemand({
      builder,
      images,
      networks,
      logger,
      entitlements: () => grantable(config),
      historyLimits: () => remembered,
    }),
  )
  await containers.reconcile()
  for (const warning of await networks.warnings()) logger.warn({}, warning)
  descriptors.dropUntaken()
  await storage.collect()

  const id = await engineId(paths.dataRoot)
  const { dataRoot } = paths
  const system = createSystem({
    config: () => config,
    engineId: id,
    facts,
    runtime,
    dataRoot,
    storageDriver: driver,
    networkWarnings: () => networks.warnings(),
    events,
    layersSize: () => snapshots.listCommitted().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  })
  const check = (options: Parameters<typeof checkEngine>[1]) =>
    checkEngine({ database, storage, containers, volumes, networks, directory: paths.containers, logger }, options)
  const api = createApi({
    containers,
    check,
    images,
    volumes,
    builder,
    buildkit: buildkit.get,
    networks,
    events,
    system,
    eventFilter,
    isExperimental: config.get('experimental', false),
    log: logger,
    version: engineVersion,
  })
  stack.defer(() => api.close(shutdownMs(config)))
  stack.defer(() => releaseIfIdle(containers, adopted, cgroupParent(config)))
  stack.use(trimWhenSettled({ trim: giveBackMemory, logger }))
  const owned = stack.move()
  return {
    listen: async () => {
      for (const target of targets) await api.listen(target)
    },
    reload: (fresh) => {
      const next = config.reloaded(fresh)
      const nextRules = rulesOf(next)
      const nextRemembered = historyOf(next)
      runtime.reconfigure(runtimeSettings(next))
      registries.reconfigure(registrySettings(next))
      config = next
      rules = nextRules
      remembered = nextRemembered
      logger.setLevel(logLevel(config))
      const attributes = reloadAttributes(config, { facts, runtime })
      events.publish('daemon', 'reload', id, attributes)
      logger.info(attributes, 'configuration reloaded')
      const settings = config.restartKeys(fresh)
      if (settings.length > 0) logger.warn({ settings }, 'what these settings say now holds from the next start on')
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** One engine a directory. */
function claim(directory: string, flag: string): Disposable {
  try {
    return lockFile(join(directory, 'lock'))
  } catch (error) {
    if (codeOf(error) !== 'EAGAIN') throw error
    throw conflict(`--${flag} ${directory} is in use by another berthd`, error)
  }
}

/** How long requests may take to end; undefined: as long as the API gives them. Below 0 there is no limit. */
function shutdownMs(config: Config): number | undefined {
  if (!config.has('shutdown-timeout')) return undefined
  const seconds = config.get('shutdown-timeout', 0)
  return seconds < 0 ? longestTimerMs : Math.min(seconds * 1000, longestTimerMs)
}

const longestTimerMs = 2 ** 31 - 1

/** Mounts that running containers need stay for them. */
function releaseIfIdle(containers: OpenContainers, adopted: readonly string[], parent: string): void {
  if (containers.aliveCount === 0) releaseStrayControllers(adopted, parent)
}

async function giveBackMemory(): Promise<void> {
  await collectGarbage()
  await trimMemory()
}

/** The rules of the build cache, as a function of the configuration. Throws `invalid` for limits that are none. */
async function cacheRulesOf(dataRoot: string): Promise<(config: Config) => PruneRule[]> {
  const { blocks, bsize } = await statfs(dataRoot)
  return (config) => cacheRules(config.get('builder', {} as BuilderEntry), blocks * bsize)
}

/** What clients may grant their builds. */
const grantable = (config: Config): Entitlement[] =>
  config.get('builder', {} as BuilderEntry).entitlements?.['network-host'] === false ? [] : ['network.host']
