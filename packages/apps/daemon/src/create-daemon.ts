import { createApi, type ListenTarget } from '@berth/api'
import { fault } from '@berth/base'
import { openBuilder } from '@berth/builder'
import { type OpenContainers, openContainers } from '@berth/containers'
import { openDatabase } from '@berth/database'
import { createEvents, eventFilter } from '@berth/events'
import { openImages, openSignatureGate } from '@berth/images'
import { adoptStrayControllers, releaseStrayControllers, trimMemory } from '@berth/linux'
import { openNetworks } from '@berth/networks'
import { createRegistries } from '@berth/registry'
import { ensureDefaultAppArmorProfile, openDescriptorStore, openRuntime, readHostFacts, readLogs } from '@berth/runtime'
import { openStorage } from '@berth/storage'
import { openVolumes } from '@berth/volumes'
import { statfs } from 'node:fs/promises'
import { collectGarbage } from './collect-garbage.ts'
import { checkEngine } from './check-engine.ts'
import { buildkitOnDemand } from './buildkit-on-demand.ts'
import type { Config } from './config/config.ts'
import { cgroupParent, containerDefaults } from './container-defaults.ts'
import { engineId } from './engine-id.ts'
import { listenTargets } from './listen-targets.ts'
import type { DaemonLogger } from './logger.ts'
import { networkSettings } from './network-settings.ts'
import { closeOthers } from './passed-sockets.ts'
import { planPaths } from './paths.ts'
import { programFiles } from './program-files.ts'
import { registrySettings, transferLimits } from './registry-settings.ts'
import { reloadSettings } from './reload-settings.ts'
import { runDefaults } from './run-defaults.ts'
import { runtimeSettings } from './runtime-settings.ts'
import { deriveSettings } from './settings.ts'
import { engineVersion } from './version.ts'
import { minFreeSpace, storageDriver } from './storage-settings.ts'
import { createSystem } from './system.ts'
import { takeRoots } from './take-roots.ts'
import { trimWhenSettled } from './trim-when-settled.ts'

export interface Daemon extends AsyncDisposable {
  /** Serves on every configured address; resolves once all of them listen. */
  listen(): Promise<void>
  /** Takes the reloadable settings of `fresh`, and logs them. Throws `invalid`, and changes nothing, where one is wrong. */
  reload(fresh: Config): void
}

/** How this process was started. */
export interface Start {
  /** What relative paths of the command line are as of. */
  readonly directory: string
  /** Descriptors of the sockets that the service manager has passed. */
  readonly sockets: readonly number[]
}

/** Builds the engine top to bottom; what was built is released in reverse, also when a later step fails. */
export async function createDaemon(initial: Config, logger: DaemonLogger, start: Start): Promise<Daemon> {
  await using stack = new AsyncDisposableStack()
  const paths = planPaths(initial)
  const targets = listenTargets(initial, paths, start.sockets)
  const files = initial.has('config-file') ? [initial.get('config-file', '')] : []
  stack.use(await takeRoots(paths, { ...start, files }, logger))
  closeOthers(
    start.sockets,
    targets.flatMap((target) => (target.kind === 'fd' ? [target.fd] : [])),
  )
  let settings = deriveSettings(initial, await diskBytes(paths.dataRoot))
  const adopted = adoptStrayControllers()
  const facts = readHostFacts({ initProgram: initial.get('init-path', '') })
  if (facts.hasAppArmor) await ensureDefaultAppArmorProfile()

  const database = stack.use(openDatabase(paths.database))
  const events = createEvents()
  const { supervisor, layerWorker } = programFiles(process.argv[1] ?? '')
  const driver = storageDriver(initial)
  const worker = { file: layerWorker }
  const spaceFloor = () => minFreeSpace(settings.config)
  const storage = stack.use(
    await openStorage({ root: paths.dataRoot, database, logger, driver, worker, fault, spaceFloor }),
  )
  const { content, snapshots, copies, leases, space } = storage
  const registries = stack.use(createRegistries(registrySettings(initial)))
  const concurrency = () => transferLimits(settings.config)
  const gate = initial.has('signature-policy')
    ? openSignatureGate(initial.get('signature-policy', ''), logger)
    : undefined
  const images = stack.use(
    await openImages({ database, content, snapshots, events, logger, leases, space, registries, concurrency, gate }),
  )
  stack.use(storage.addRoots(() => images.gcRoots()))
  const volumes = stack.use(await openVolumes({ root: paths.dataRoot, database, events, logger, worker }))
  const { runRoot } = paths
  const runtime = stack.use(
    await openRuntime({ runRoot, supervisor: { script: supervisor }, logger, ...runtimeSettings(initial) }),
  )
  const descriptors = stack.use(await openDescriptorStore({ runRoot, logger }))
  const apiPorts = targets.flatMap(portOf)
  const networks = stack.use(
    await openNetworks({ descriptors, database, runRoot, logger, events, apiPorts, ...networkSettings(initial) }),
  )
  const defaults = await containerDefaults(initial, runtime, paths.dataRoot)
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
    defaults: () => defaults(settings.config),
    directory: paths.containers,
  })
  stack.use(containers)
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
    defaults: () => runDefaults(defaults(settings.config), facts),
    collect: storage.collect,
    rules: () => settings.cacheRules,
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
      entitlements: () => settings.grantable,
      historyLimits: () => settings.historyLimits,
    }),
  )
  await containers.reconcile()
  for (const warning of await networks.warnings()) logger.warn({}, warning)
  descriptors.dropUntaken()
  await storage.collect()

  const id = await engineId(paths.dataRoot)
  const { dataRoot } = paths
  const system = createSystem({
    config: () => settings.config,
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
    isExperimental: initial.get('experimental', false),
    log: logger,
    version: engineVersion,
  })
  stack.defer(() => api.close(shutdownMs(settings.config)))
  stack.defer(() => releaseIfIdle(containers, adopted, cgroupParent(initial)))
  stack.use(trimWhenSettled({ trim: giveBackMemory, logger }))
  const owned = stack.move()
  return {
    listen: async () => {
      for (const target of targets) await api.listen(target)
    },
    reload: (fresh) => {
      settings = reloadSettings(settings, fresh, { engineId: id, facts, runtime, registries, events, logger })
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** The port of TCP that the API is on, which containers are kept from. */
function portOf(target: ListenTarget): number[] {
  const port = target.kind === 'fd' ? target.bound?.port : target.kind === 'tcp' ? target.port : undefined
  return port ? [port] : []
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

async function diskBytes(directory: string): Promise<number> {
  const { blocks, bsize } = await statfs(directory)
  return blocks * bsize
}
