import {
  conflict,
  type ContainerId,
  EngineError,
  invalid,
  isKind,
  messageOf,
  notModified,
  settlesWithin,
} from '@berth/base'
import { announce } from './announce.ts'
import type { Container } from './container.ts'
import type { StopOptions } from './containers.ts'
import type { Context } from './context.ts'
import { unpauseLocked } from './pause.ts'
import { parseSignal } from './plan/signals.ts'
import { startedIfStarting } from './started-if-starting.ts'

const defaultStopTimeoutSeconds = 10
const sigkill = 9
/** How long a killed process may take to be reported: the kernel may still be writing its memory back. */
const killPatienceMs = 10_000

/** Stops a container: its stop signal, then SIGKILL after the timeout. A client that leaves does not abort it. */
export async function stopContainer(context: Context, ref: string, options: StopOptions): Promise<void> {
  const container = await startedIfStarting(context, ref)
  if (!isUp(container)) {
    throw notModified(`Container ${container.id} is already stopped`)
  }
  const signal = signalFor(options.signal || stopSignalNameOf(container), `cannot stop container: ${ref}`)
  const wasPending = await cancelRestart(context, container.id)
  if (!context.registry.byId(container.id)) return
  // Only now: a start that was under way has cleared it.
  context.registry.transition(container.id, { stoppedByUser: true })
  const seconds = timeoutSeconds(container, options)
  await announced(context, container.id, async () => {
    if (!wasPending) await stopProcess(context, container.id, signal, seconds)
  })
}

/** Stops by `work` and announces it: as soon as the exit is known, or when there is none to come. */
async function announced(context: Context, id: ContainerId, work: () => Promise<void>): Promise<void> {
  using stop = context.stops.begin(id)
  await work()
  const stopped = context.registry.byId(id)
  if (stopped && !stop.isTold) announce(context, stopped, 'stop')
}

/** Stops and starts again; starts one that does not run. */
export async function restartContainer(
  context: Context,
  ref: string,
  options: StopOptions,
  start: (id: ContainerId) => Promise<void>,
): Promise<void> {
  const container = await startedIfStarting(context, ref)
  const signal = signalFor(options.signal || stopSignalNameOf(container), `Cannot restart container ${ref}`)
  using _ = context.restarts.suspend(container.id)
  if (isUp(container)) {
    const seconds = timeoutSeconds(container, options)
    await announced(context, container.id, () => stopProcess(context, container.id, signal, seconds))
  }
  await start(container.id)
  announce(context, context.registry.resolve(container.id), 'restart')
}

/** Sends a signal; when it is SIGKILL, returns after the exit. */
export async function killContainer(context: Context, ref: string, signalName: string): Promise<void> {
  const what = `cannot kill container: ${ref}`
  const signal = signalFor(signalName || 'SIGKILL', what)
  await context.starts.settled(resolveFor(context, ref, what).id)
  const container = resolveFor(context, ref, what)
  if (!isUp(container)) {
    throw conflict(`${what}: container ${container.id} is not running`)
  }
  if (signal === sigkill || signal === stopSignalOf(container)) await endRestarts(context, container.id)
  // Between two runs no process is there; what the signal can end, the restart, has ended.
  const current = context.registry.byId(container.id)
  if (!current || !isAlive(current)) return
  const exit = signal === sigkill ? exitOf(context, container.id) : undefined
  await sendSignal(context, container, signal)
  await exit
}

function resolveFor({ registry }: Context, ref: string, what: string): Container {
  try {
    return registry.resolve(ref)
  } catch (error) {
    throw error instanceof EngineError
      ? new EngineError(error.kind, `${what}: ${error.message}`, { cause: error })
      : error
  }
}

/** From now on an exit is final. */
async function endRestarts(context: Context, id: ContainerId): Promise<void> {
  await cancelRestart(context, id)
  // Only now: a start that was under way has cleared it.
  if (context.registry.byId(id)) context.registry.transition(id, { stoppedByUser: true })
}

/** It has a process. */
export function isAlive(container: Container): boolean {
  return container.state.status === 'running' || container.state.status === 'paused'
}

/** It has a process, or is to have one again by its restart policy. */
export function isUp(container: Container): boolean {
  return isAlive(container) || container.state.status === 'restarting'
}

function timeoutSeconds(container: Container, options: StopOptions): number {
  return options.timeoutSeconds ?? container.config.StopTimeout ?? defaultStopTimeoutSeconds
}

/** Also while the exit is still being handled: the restart is not pending yet then. */
export async function cancelRestart(context: Context, id: ContainerId): Promise<boolean> {
  if (context.restarts.cancel(id)) return true
  if (context.registry.byId(id)?.state.status !== 'restarting') return false
  await context.locks.run(id, () => {})
  return context.restarts.cancel(id)
}

/** Ends the process, whatever it takes; returns when its exit was recorded. Cancels a pending restart. */
async function stopProcess(context: Context, id: ContainerId, signal: number, seconds: number): Promise<void> {
  if (await cancelRestart(context, id)) return
  const container = context.registry.byId(id)
  if (!container || !isAlive(container)) return
  const exit = exitOf(context, id)
  await sendSignal(context, container, signal)
  if (await settlesWithin(exit, seconds < 0 ? undefined : seconds * 1000)) return
  const current = context.registry.byId(id)
  if (current && isAlive(current)) await sendSignal(context, current, sigkill)
  if (await settlesWithin(exit, killPatienceMs)) return
  throw new Error(`tried to kill container ${id}, but did not receive an exit event`)
}

/** Sends `signal` and, where the process may be frozen and the signal ends it, thaws it so that it can die. */
export async function sendSignal(context: Context, container: Container, signal: number): Promise<void> {
  try {
    await context.runtime.kill({ containerId: container.id }, signal)
  } catch (error) {
    if (!isKind(error, 'notFound')) throw error
    return
  }
  announce(context, container, 'kill', { signal: String(signal) })
  if (signal === sigkill || signal === stopSignalOf(container)) await thaw(context, container.id)
}

/** Under the lock: the exit that follows is recorded after it. */
async function thaw(context: Context, id: ContainerId): Promise<void> {
  await context.locks.run(id, async () => {
    if (context.registry.byId(id)?.state.status === 'paused') await unpauseLocked(context, id)
  })
}

const stopSignalNameOf = ({ config }: Container): string => config.StopSignal || 'SIGTERM'
const stopSignalOf = (container: Container): number => parseSignal(stopSignalNameOf(container))

/** A refusal says what was to be done. */
function signalFor(name: string, what: string): number {
  try {
    return parseSignal(name)
  } catch (error) {
    throw invalid(`${what}: ${messageOf(error)}`, error)
  }
}

function exitOf(context: Context, id: ContainerId): Promise<unknown> {
  return context.waiters.wait(id, 'next-exit')
}
