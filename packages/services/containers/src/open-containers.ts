import { type ContainerId, KeyedLock, type Logger, messageOf } from '@berth/base'
import type { Database } from '@berth/database'
import { join } from 'node:path'
import { announce } from './announce.ts'
import { readArchive, statPath, writeArchive } from './archive.ts'
import { attachContainer } from './attach.ts'
import { AttachedOutputs } from './attached-outputs.ts'
import { commitContainer } from './commit.ts'
import type { Container } from './container.ts'
import type { Containers } from './containers.ts'
import type { Context } from './context.ts'
import { createContainer } from './create.ts'
import { ExecRegistry } from './exec-registry.ts'
import { createExec, resizeExec, startExec } from './exec.ts'
import { targetOfExec } from './exec-process.ts'
import { HealthMonitors } from './health-monitors.ts'
import { listContainers } from './list.ts'
import { listedPorts } from './listed-ports.ts'
import { openLogs, publicLogPath } from './logs.ts'
import { connectNetwork, disconnectNetwork } from './membership.ts'
import { onExit } from './on-exit.ts'
import { pauseContainer, unpauseContainer } from './pause.ts'
import { pruneContainers } from './prune.ts'
import { onSupervisorLost, reconcile } from './reconcile.ts'
import { Registry } from './registry.ts'
import { removeContainer } from './remove.ts'
import { renameContainer } from './rename.ts'
import { RestartTimers } from './restart-timers.ts'
import { sizeOf } from './size.ts'
import { startContainer, startLocked } from './start.ts'
import { streamStats } from './stats.ts'
import { isAlive, killContainer, restartContainer, stopContainer } from './stop.ts'
import { type ContainerStore, openContainerStore } from './store.ts'
import { listProcesses } from './top.ts'
import { requireRunning } from './transitions.ts'
import { updateContainer } from './update.ts'
import { volumeUses } from './volumes.ts'
import { waitForContainer } from './wait.ts'
import { Starts } from './starts.ts'
import { Stops } from './stops.ts'
import { Waiters } from './waiters.ts'

export interface ContainersOptions extends Pick<
  Context,
  | 'images'
  | 'snapshots'
  | 'volumes'
  | 'copies'
  | 'networks'
  | 'runtime'
  | 'readLogs'
  | 'events'
  | 'facts'
  | 'defaults'
  | 'directory'
> {
  readonly database: Database
  readonly logger: Logger
}

/** The aggregate, and what the daemon does with it besides serving. */
export interface OpenContainers extends Containers, AsyncDisposable {
  /** Adopts what runs and applies restart policies; called once, before serving. */
  reconcile(): Promise<void>
  /** How many containers run or are paused. */
  readonly aliveCount: number
}

/** Loads the records; nothing is touched before `reconcile()`. */
export async function openContainers(options: ContainersOptions): Promise<OpenContainers> {
  const store = openContainerStore(options.database)
  const { containers, unreadable } = store.load()
  for (const row of unreadable) options.logger.error(row, 'a container record cannot be read: it is left alone')
  const { database: _, ...services } = options
  let isOpen = true
  const context: Context = {
    ...services,
    registry: openRegistry(store, containers, options.logger),
    unreadable: new Set(unreadable.map(({ id }) => id)),
    strangers: new Set(),
    locks: new KeyedLock<ContainerId>(),
    waiters: new Waiters(),
    outputs: new AttachedOutputs(),
    starts: new Starts(),
    stops: new Stops(),
    execs: new ExecRegistry(),
    health: new HealthMonitors(() => context),
    restarts: new RestartTimers(),
    isOpen: () => isOpen,
  }
  for (const { id, name } of unreadable) context.registry.reserveName(name, id)
  const adopted = Promise.withResolvers<void>()
  const subscriptions = subscribe(context, adopted.promise)
  options.images.onUseQuery(() => context.registry.all().flatMap(imageUses))
  options.volumes.onUseQuery(() => volumeUses(context.registry.all()))
  return {
    ...useCases(context),
    reconcile: () => reconcile(context, startLocked).finally(adopted.resolve),
    get aliveCount() {
      return context.registry.all().filter(isAlive).length
    },
    [Symbol.asyncDispose]: async () => {
      isOpen = false
      subscriptions.dispose()
      context.registry[Symbol.dispose]()
      context.restarts[Symbol.dispose]()
      context.health[Symbol.dispose]()
    },
  }
}

function openRegistry(store: ContainerStore, containers: readonly Container[], logger: Logger): Registry {
  return new Registry(store, containers, (id, error) => {
    logger.error({ id, error: messageOf(error) }, 'the state of a container cannot be written: kept in memory')
  })
}

/**
 * What is reported before records and supervisor have been compared is taken in after it (`adopted`): of a start that no
 * record tells of, the exit would be given back, and with it all that is known of the run.
 */
function subscribe(context: Context, adopted: Promise<void>): DisposableStack {
  const stack = new DisposableStack()
  const { runtime, logger } = context
  const detached = async (what: string, work: () => Promise<void>) => {
    await adopted
    await work().catch((error: unknown) => logger.error({ error: messageOf(error) }, what))
  }
  stack.use(runtime.onExit((report) => void detached('taking in an exit', () => onExit(context, report, startLocked))))
  stack.use(runtime.onOom((id) => announceOom(context, id)))
  stack.use(
    runtime.onSupervisorLost(() => {
      void detached('after losing the supervisor', () => onSupervisorLost(context, startLocked))
    }),
  )
  return stack
}

function announceOom(context: Context, id: ContainerId): void {
  const container = context.registry.byId(id)
  if (container) announce(context, container, 'oom')
}

/** A container has its own image, and those that it has mounted. */
function imageUses(container: Container) {
  const { id: containerId, imageId, mounts } = container
  const running = isAlive(container)
  const ids = new Set([imageId, ...mounts.flatMap(({ image }) => image?.id ?? [])])
  return [...ids].map((id) => ({ containerId, imageId: id, running }))
}

/** The interface, each method a use case. */
function useCases(context: Context): Containers {
  const { registry } = context
  const byId = (id: string) => registry.resolve(id)
  return {
    create: (request) => createContainer(context, request),
    start: (ref) => startContainer(context, ref),
    stop: (ref, options) => stopContainer(context, ref, options),
    restart: (ref, options) => restartContainer(context, ref, options, (id) => startContainer(context, id)),
    kill: (ref, signal) => killContainer(context, ref, signal),
    pause: (ref) => pauseContainer(context, ref),
    unpause: (ref) => unpauseContainer(context, ref),
    rename: (ref, name) => renameContainer(context, ref, name),
    update: (ref, request) => updateContainer(context, ref, request),
    wait: (ref, condition, signal) => waitForContainer(context, ref, condition, signal),
    connectNetwork: (membership) => connectNetwork(context, membership),
    disconnectNetwork: (membership) => disconnectNetwork(context, membership),
    remove: (ref, options) => removeContainer(context, ref, options),
    prune: (filters) => pruneContainers(context, filters),
    get: byId,
    list: (query) => listContainers(context, query),
    size: (id) => sizeOf(context, byId(id)),
    logPath: (id) => publicLogPath(context, byId(id)),
    files: (id) => filesOf(context, byId(id)),
    network: (id) => networkOf(context, byId(id)),
    graphDriver: (id) => ({ Name: context.snapshots.driver, Data: context.snapshots.directories(id) }),
    logs: (ref, query, follow) => openLogs(context, byId(ref), query, follow),
    attach: (ref, query) => attachContainer(context, ref, query),
    resize: async (ref, size) => {
      const { id } = requireRunning(byId(ref))
      await context.runtime.resize({ containerId: id }, size)
      announce(context, byId(id), 'resize', { height: String(size.rows), width: String(size.columns) })
    },
    top: (ref, psArgs) => listProcesses(context, ref, psArgs),
    stats: (ref, options) => streamStats(context, ref, options),
    changes: async (ref) => context.snapshots.changes(byId(ref).id),
    exportTree: (ref) => {
      const container = byId(ref)
      announce(context, container, 'export')
      return context.snapshots.exportTree(container.id)
    },
    commit: (ref, query) => commitContainer(context, ref, query),
    statPath: (ref, path) => statPath(context, ref, path),
    readArchive: (ref, path) => readArchive(context, ref, path),
    writeArchive: (ref, target, options) => writeArchive(context, ref, target, options),
    anticipateExec: (id) => {
      const container = byId(id)
      if (container.state.status === 'running') context.runtime.anticipateExec(targetOfExec(container))
    },
    createExec: (ref, config) => createExec(context, ref, config),
    startExec: (id, options) => startExec(context, id, options),
    resizeExec: (id, size) => resizeExec(context, id, size),
    getExec: (id) => context.execs.resolve(id),
  }
}

function filesOf(context: Context, { id, hasBeenStarted }: Container): ReturnType<Containers['files']> {
  if (!hasBeenStarted) return { resolvConfPath: '', hostnamePath: '', hostsPath: '' }
  const path = (name: string) => join(context.directory, id, name)
  return { resolvConfPath: path('resolv.conf'), hostnamePath: path('hostname'), hostsPath: path('hosts') }
}

function networkOf(context: Context, container: Container): ReturnType<Containers['network']> {
  const { sandboxId, sandboxKey } = context.networks.attachment(container.id) ?? { sandboxId: '', sandboxKey: '' }
  return { sandboxId, sandboxKey, ports: listedPorts(context, container) }
}
