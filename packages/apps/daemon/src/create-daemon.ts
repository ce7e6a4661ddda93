import { createApi } from '@berth/api'
import { longestTimerMs } from '@berth/base'
import type { OpenContainers } from '@berth/containers'
import { eventFilter } from '@berth/events'
import { releaseStrayControllers, trimMemory } from '@berth/linux'
import { checkEngine } from './check-engine.ts'
import { collectGarbage } from './collect-garbage.ts'
import type { Config } from './config/config.ts'
import { cgroupParent } from './container-defaults.ts'
import { engineId } from './engine-id.ts'
import type { DaemonLogger } from './logger.ts'
import { type Engine, openEngine } from './open-engine.ts'
import { type Host, openHost, type Start } from './open-host.ts'
import { openStores, type Stores } from './open-stores.ts'
import { reloadSettings } from './reload-settings.ts'
import { storageDriver } from './storage-settings.ts'
import { createSystem } from './system.ts'
import { trimWhenSettled } from './trim-when-settled.ts'
import { engineVersion } from './version.ts'

export interface Daemon extends AsyncDisposable {
  /** Serves on every configured address; resolves once all of them listen. */
  listen(): Promise<void>
  /** Takes the reloadable settings of `fresh`, and logs them. Throws `invalid`, and changes nothing, where one is wrong. */
  reload(fresh: Config): void
}

/** Builds the engine bottom to top; what was built is released in reverse, also when a later step fails. */
export async function createDaemon(initial: Config, logger: DaemonLogger, start: Start): Promise<Daemon> {
  await using stack = new AsyncDisposableStack()
  const host = await openHost(stack, initial, { logger, start })
  const stores = await openStores(stack, host)
  const engine = await openEngine(stack, host, stores)
  const id = await engineId(host.paths.dataRoot)
  const api = apiOf(host, { ...stores, ...engine, engineId: id })
  stack.defer(() => api.close(shutdownMs(host.live.settings.config)))
  stack.defer(() => releaseIfIdle(engine.containers, host.adopted, cgroupParent(initial)))
  stack.use(trimWhenSettled({ trim: giveBackMemory, logger }))
  const owned = stack.move()
  return {
    listen: async () => {
      for (const target of host.targets) await api.listen(target)
    },
    reload: (fresh) => {
      const { live, facts, events } = host
      const parts = { engineId: id, facts, runtime: engine.runtime, registries: stores.registries, events, logger }
      live.settings = reloadSettings(live.settings, fresh, parts)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function apiOf(host: Host, parts: Stores & Engine & { readonly engineId: string }) {
  const { initial, live, paths, database, events, logger } = host
  const { storage, images, volumes, networks, containers, builder, buildkit, runtime } = parts
  const system = createSystem({
    config: () => live.settings.config,
    engineId: parts.engineId,
    facts: host.facts,
    runtime,
    dataRoot: paths.dataRoot,
    storageDriver: storageDriver(initial),
    networkWarnings: () => networks.warnings(),
    events,
    layersSize: () => storage.snapshots.listCommitted().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  })
  const checked = { database, storage, containers, volumes, networks, directory: paths.containers, logger }
  const served = { containers, images, volumes, builder, networks, events, system, eventFilter }
  return createApi({
    ...served,
    check: (options) => checkEngine(checked, options),
    buildkit: buildkit.get,
    isExperimental: initial.get('experimental', false),
    log: logger,
    version: engineVersion,
  })
}

/** How long requests may take to end; undefined: as long as the API gives them. Below 0 there is no limit. */
function shutdownMs(config: Config): number | undefined {
  if (!config.has('shutdown-timeout')) return undefined
  const seconds = config.get('shutdown-timeout', 0)
  return seconds < 0 ? longestTimerMs : Math.min(seconds * 1000, longestTimerMs)
}

/** Mounts that running containers need stay for them. */
function releaseIfIdle(containers: OpenContainers, adopted: readonly string[], parent: string): void {
  if (containers.aliveCount === 0) releaseStrayControllers(adopted, parent)
}

async function giveBackMemory(): Promise<void> {
  await collectGarbage()
  await trimMemory()
}
