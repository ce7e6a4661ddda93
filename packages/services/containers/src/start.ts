import { conflict, type ContainerId, EngineError, isKind, messageOf, notModified, Undo } from '@berth/base'
import type { Attachment, AttachRequest } from '@berth/networks'
import { buildSpec } from '@berth/runtime'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { announce } from './announce.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { logTarget } from './logs.ts'
import { removeLocked } from './remove.ts'
import { planSpecInput } from './spec-input.ts'
import { unmountShm } from './spec-namespaces.ts'

/** Starts a container that does not run; `notModified` when it does. */
export async function startContainer(context: Context, ref: string): Promise<void> {
  const { id } = context.registry.resolve(ref)
  await context.locks.run(id, async () => {
    const container = requireStartable(context.registry.resolve(id))
    context.restarts.reset(id)
    if (container.restartCount > 0) context.registry.transition(id, { restartCount: 0 })
    await startLocked(context, id)
  })
}

function requireStartable(container: Container): Container {
  const { id, state } = container
  if (state.status === 'paused') throw conflict('cannot start a paused container, try unpause instead')
  if (state.status === 'running') throw notModified(`Container ${id} is already running`)
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
    await runContainer(context, container)
  } catch (error) {
    await recordFailure(context, container, error)
    throw error
  }
}

async function runContainer(context: Context, container: Container): Promise<void> {
  const { id, hostConfig, config } = container
  await using undo = new Undo((what, error) => context.logger.warn({ id, error }, `undoing start: ${what}`))
  await ensureLayers(context, container)
  const rootPath = context.snapshots.mount(id, { volatile: hostConfig.AutoRemove })
  undo.defer('root filesystem', () => context.snapshots.unmount(id))
  const attachment = await context.networks.attach(attachRequest(context, container))
  undo.defer('network', () => context.networks.detach(id))
  undo.defer('shared memory', () => unmountShm(context, container))
  const log = logTarget(context, container)
  if (log.driver === 'local') await mkdir(dirname(log.path), { recursive: true, mode: 0o710 })
  const spec = buildSpec(await planSpecInput(context, container, rootPath, attachment))
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
  undo.commit()
  recordStart(context, container, attachment, { pid, startedAt })
}

/** Layers that a power loss took are unpacked anew. An image that was removed by force leaves its layers to its containers. */
async function ensureLayers({ images }: Context, { imageId }: Container): Promise<void> {
  const image = await images.resolve(imageId).catch((error: unknown) => {
    if (!isKind(error, 'notFound')) throw error
  })
  if (image) await images.ensureUnpacked(image)
}

function recordStart(
  context: Context,
  { id }: Container,
  attachment: Attachment,
  { pid, startedAt }: { readonly pid: number; readonly startedAt: string },
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
    endpoints: attachment.endpoints,
  })
  announce(context, running, 'start')
  context.health.start(id)
}

function attachRequest(context: Context, container: Container): AttachRequest {
  const { id, name, config, hostConfig, requestedEndpoints } = container
  return {
    containerId: id,
    name,
    hostname: config.Hostname,
    domainname: config.Domainname,
    mode: config.NetworkDisabled ? 'none' : hostConfig.NetworkMode,
    endpoints: requestedEndpoints,
    dns: hostConfig.Dns ?? [],
    dnsOptions: hostConfig.DnsOptions ?? [],
    dnsSearch: hostConfig.DnsSearch ?? [],
    extraHosts: hostConfig.ExtraHosts ?? [],
    portBindings: hostConfig.PortBindings,
    sysctls: hostConfig.Sysctls ?? {},
    filesDirectory: join(context.directory, id),
  }
}

/** A start that failed leaves the container as it was, with the error and the exit code that shells give. */
async function recordFailure(context: Context, container: Container, error: unknown): Promise<void> {
  const { id, state, hostConfig } = container
  const exitCode = exitCodeOf(error)
  const status = state.status === 'created' ? 'created' : 'exited'
  context.registry.transition(id, { status, exitCode, error: messageOf(error), pid: 0 })
  context.waiters.exited(id, { exitCode, error: messageOf(error) })
  if (hostConfig.AutoRemove) await removeLocked(context, id)
}

/** 127: no such program, 126: it cannot be run, 128: anything else before it ran. */
function exitCodeOf(error: unknown): number {
  if (!(error instanceof EngineError) || error.kind !== 'invalid') return 128
  if (/executable file not found|no such file or directory/i.test(error.message)) return 127
  return /permission denied|is a directory|not a directory|exec format error/i.test(error.message) ? 126 : 128
}
