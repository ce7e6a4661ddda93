import type { ListenTarget } from '@berth/api'
import { type OpenBuilder, openBuilder } from '@berth/builder'
import { type OpenContainers, openContainers } from '@berth/containers'
import { type Networks, openNetworks } from '@berth/networks'
import { openDescriptorStore, openRuntime, readLogs, type Runtime } from '@berth/runtime'
import { buildkitOnDemand } from './buildkit-on-demand.ts'
import { containerDefaults } from './container-defaults.ts'
import { networkSettings } from './network-settings.ts'
import type { Host } from './open-host.ts'
import type { Stores } from './open-stores.ts'
import { runDefaults } from './run-defaults.ts'
import { runtimeSettings } from './runtime-settings.ts'

/** What runs containers and builds. */
export interface Engine {
  readonly runtime: Runtime
  readonly networks: Networks
  readonly containers: OpenContainers
  readonly builder: OpenBuilder
  readonly buildkit: ReturnType<typeof buildkitOnDemand>
}

/** Opens it on the stores, and takes up what earlier processes have left running; everything is closed by the stack. */
export async function openEngine(stack: AsyncDisposableStack, host: Host, stores: Stores): Promise<Engine> {
  const { initial, live, paths, programs, facts, database, events, logger } = host
  const { storage, registries, images, volumes } = stores
  const { runRoot } = paths
  const supervisor = { script: programs.supervisor }
  const runtime = stack.use(await openRuntime({ runRoot, supervisor, logger, ...runtimeSettings(initial) }))
  const descriptors = stack.use(await openDescriptorStore({ runRoot, logger }))
  const apiPorts = host.targets.flatMap(portOf)
  const networks = stack.use(
    await openNetworks({ descriptors, database, runRoot, logger, events, apiPorts, ...networkSettings(initial) }),
  )
  const defaults = await containerDefaults(initial, runtime, paths.dataRoot)
  const { snapshots, copies } = storage
  const directory = paths.containers
  const parts = { database, images, snapshots, volumes, copies, networks, runtime, readLogs, events, logger, facts }
  const containers = await openContainers({ ...parts, defaults: () => defaults(live.settings.config), directory })
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
    defaults: () => runDefaults(defaults(live.settings.config), facts),
    collect: storage.collect,
    rules: () => live.settings.cacheRules,
  })
  stack.use(builder)
  stack.use(storage.addRoots(() => builder.gcRoots()))
  images.spare(() => builder.gcRoots())
  const limits = {
    entitlements: () => live.settings.grantable,
    historyLimits: () => live.settings.historyLimits,
  }
  const buildkit = stack.use(buildkitOnDemand({ builder, images, networks, logger, ...limits }))
  await containers.reconcile()
  for (const warning of await networks.warnings()) logger.warn({}, warning)
  descriptors.dropUntaken()
  await storage.collect()
  return { runtime, networks, containers, builder, buildkit }
}

/** The port of TCP that the API is on, which containers are kept from. */
function portOf(target: ListenTarget): number[] {
  const port = target.kind === 'fd' ? target.bound?.port : target.kind === 'tcp' ? target.port : undefined
  return port ? [port] : []
}
