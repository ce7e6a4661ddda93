import {
  conflict,
  type ContainerId,
  fault,
  isKind,
  messageOf,
  notFound,
  notModified,
  ownValue,
  Undo,
} from '@berth/base'
import type { AttachRequest } from '@berth/networks'
import { buildSpec, startFailureExitCode } from '@berth/runtime'
import { mkdirSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { announce } from './announce.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { linkedHosts, refreshLinks } from './links.ts'
import { logTarget } from './logs.ts'
import { removeLocked } from './remove.ts'
import { joinedContainer } from './plan/namespace-modes.ts'
import { publishedPorts } from './plan/ports.ts'
import { pinMounts } from './pinned-mounts.ts'
import { planSpecInput } from './spec-input.ts'
import { ensureBindSources } from './spec-mounts.ts'
import { unmountShm } from './spec-namespaces.ts'
import { isAlive } from './stop.ts'
import { mountVolumes } from './volumes.ts'

/** Starts a container that does not run; `notModified` when it does. */
export async function startContainer(context: Context, ref: string): Promise<void> {
  const { id } = context.registry.resolve(ref)
  await context.starts.during(id, () => context.locks.run(id, () => startAnew(context, id)))
}

async function startAnew(context: Context, id: ContainerId): Promise<void> {
  const container = requireStartable(context.registry.resolve(id))
  context.restarts.reset(id)
  if (container.restartCount > 0) context.registry.transition(id, { restartCount: 0 })
  await startLocked(context, id)
}

function requireStartable(container: Container): Container {
  const { id, state } = container
  if (state.status === 'paused') throw conflict('cannot start a paused container, try unpause instead')
  // What waits for its policy's restart counts as running, in Docker too.
  if (state.status === 'running' || state.status === 'restarting') {
    throw notModified(`Container ${id} is already running`)
  }
  if (state.status === 'removing' || state.status === 'dead') {
    throw conflict('container is marked for removal and cannot be started')
  }
  return container
}

/** Network, root filesystem, spec, process: each step is undone when a later one fails. The caller holds the lock. */
export async function startLocked(context: Context, id: ContainerId): Promise<void> {
  const container = context.registry.resolve(id)
  context.restarts.cancel(id)
  try {
    await runContainer(context, takeHostname(context, container))
  } catch (error) {
    await recordFailure(context, container, error)
    throw error
  }
}

async function runContainer(context: Context, container: Container): Promise<void> {
  const { id, hostConfig, config } = container
  await using undo = new Undo((what, error) => context.logger.warn({ id, error }, `undoing start: ${what}`))
  context.runtime.anticipateStart()
  await ensureLayers(context, container)
  // All that is in it is made at a start: who removed it by hand has lost the log, and no container.
  mkdirSync(join(context.directory, id), { recursive: true, mode: 0o710 })
  const rootPath = context.snapshots.mount(id, { volatile: hostConfig.AutoRemove })
  fault('start: mounted')
  undo.defer('root filesystem', () => context.snapshots.unmount(id))
  undo.defer('volumes', () => context.volumes.unmountAll(id))
  await mountVolumes(context, container)
  fault('start: volumes')
  const attachment = await context.networks.attach(attachRequest(context, container))
  fault('start: attached')
  undo.defer('network', () => context.networks.detach(id))
  undo.defer('shared memory', () => unmountShm(context, container))
  const log = logTarget(context, container)
  if (log.driver === 'local') await mkdir(dirname(log.path), { recursive: true, mode: 0o710 })
  await ensureBindSources(container.mounts)
  await using pinned = await pinMounts(context, container)
  const { sources } = pinned
  const spec = buildSpec(await planSpecInput(context, container, { rootPath, attachment, sources }))
  const [rows, columns] = hostConfig.ConsoleSize
  const consoleSize = config.Tty && rows > 0 && columns > 0 ? { consoleSize: { rows, columns } } : {}
  const io = { tty: config.Tty, openStdin: config.OpenStdin, stdinOnce: config.StdinOnce, ...consoleSize }
  const { pid, startedAt } = await context.runtime.start({
    containerId: id,
    spec,
    runtimeName: hostConfig.Runtime,
    io,
    log,
  })
  fault('start: created')
  undo.commit()
  recordStart(context, container, { pid, startedAt, endpoints: attachment.endpoints })
  fault('start: recorded')
}

/** Who shares another's network shares its name. */
function takeHostname({ registry }: Context, container: Container): Container {
  const joined = joinable(registry, container.hostConfig.NetworkMode)
  if (joined === undefined) return container
  const { Hostname, Domainname } = joined.config
  return registry.redefine(container.id, { config: { ...container.config, Hostname, Domainname } })
}

/** Whose network a mode shares, which has to run. */
function joinable(registry: Context['registry'], networkMode: string): Container | undefined {
  const ref = joinedContainer(networkMode)
  if (ref === undefined) return undefined
  let joined: Container
  try {
    joined = registry.resolve(ref)
  } catch (error) {
    throw notFound(`joining network namespace of container: ${messageOf(error)}`, error)
  }
  if (isAlive(joined)) return joined
  const { name, state } = joined
  throw conflict(`cannot join network namespace of a non running container: container ${name} is ${state.status}`)
}

/** Layers that a power loss took are unpacked anew. An image that was removed by force leaves its layers to its containers. */
async function ensureLayers({ images }: Context, { imageId }: Container): Promise<void> {
  const image = await images.resolve(imageId).catch((error: unknown) => {
    if (!isKind(error, 'notFound')) throw error
  })
  if (image) await images.ensureUnpacked(image)
}

/** Records that a container runs, whoever started it, and looks after it from then on. */
export function recordStart(
  context: Context,
  { id }: Container,
  { pid, startedAt, endpoints }: Pick<Container['state'], 'pid' | 'startedAt'> & Pick<Container, 'endpoints'>,
): void {
  const running = context.registry.transition(id, {
    status: 'running',
    pid,
    startedAt,
    exitCode: 0,
    oomKilled: false,
    error: '',
    health: undefined,
    stoppedByUser: false,
    hasBeenStarted: true,
    endpoints,
  })
  announce(context, running, 'start')
  refreshLinks(context, running)
  context.health.start(id)
}

/** '' for a container that was taken out of all its networks: it has none but those it is taken into. */
function networkModeOf({ config, hostConfig, requestedEndpoints }: Container): string {
  if (config.NetworkDisabled) return 'none'
  const isShared = joinedContainer(hostConfig.NetworkMode) !== undefined
  return isShared || Object.keys(requestedEndpoints).length > 0 ? hostConfig.NetworkMode : ''
}

/** A network that the container was in is meant by its id: another may have its name by now. */
function endpointsToAttach({ requestedEndpoints, endpoints }: Container): AttachRequest['endpoints'] {
  const entries = Object.entries(requestedEndpoints)
  return Object.fromEntries(
    entries.map(([name, asked]) => [name, { ...asked, NetworkID: ownValue(endpoints, name)?.NetworkID ?? '' }]),
  )
}

function attachRequest(context: Context, container: Container): AttachRequest {
  const { id, name, config, hostConfig } = container
  return {
    containerId: id,
    name,
    hostname: config.Hostname,
    domainname: config.Domainname,
    mode: networkModeOf(container),
    endpoints: endpointsToAttach(container),
    dns: hostConfig.Dns ?? [],
    dnsOptions: hostConfig.DnsOptions ?? [],
    dnsSearch: hostConfig.DnsSearch ?? [],
    extraHosts: hostConfig.ExtraHosts ?? [],
    portBindings: publishedPorts(config.ExposedPorts, hostConfig),
    sysctls: hostConfig.Sysctls ?? {},
    filesDirectory: join(context.directory, id),
    links: linkedHosts(context, container),
  }
}

/** A start that failed leaves the container as it was, with the error and the exit code that shells give. */
async function recordFailure(context: Context, container: Container, error: unknown): Promise<void> {
  const { id, state, hostConfig } = container
  const exitCode = exitCodeOf(error)
  const status = state.status === 'created' ? 'created' : 'exited'
  context.registry.transition(id, { status, exitCode, error: messageOf(error), pid: 0 })
  // Whoever waits for the next exit goes on waiting, but a restart was the last chance of one.
  if (state.status === 'restarting') context.waiters.exited(id, { exitCode, error: messageOf(error) })
  if (hostConfig.AutoRemove) await removeLocked(context, id, { volumes: true })
}

/** What the OCI runtime could not run has a code of its own; whatever failed before it has 128. */
function exitCodeOf(error: unknown): number {
  const message = messageOf(error)
  return message.includes('OCI runtime create failed') ? startFailureExitCode(message) : 128
}
