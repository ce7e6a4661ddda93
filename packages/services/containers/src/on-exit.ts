import { type ContainerId, fault, messageOf, nowText, ownValue, parseTimeNs } from '@berth/base'
import type { ExitReport } from '@berth/runtime'
import { announce } from './announce.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { planRestart } from './plan/restart-policy.ts'
import { releaseRun } from './release.ts'
import { removeLocked } from './remove.ts'
import { isAlive } from './stop.ts'
import { releaseStranger } from './sweep-orphans.ts'

/** Takes in the end of a container's first process, or of an exec. */
export async function onExit(context: Context, report: ExitReport, start: StartLocked): Promise<void> {
  if (report.execId !== undefined) return onExecExit(context, report)
  await context.locks.run(report.containerId, () => exitLocked(context, report, start))
}

/** Starts a container whose lock is held. */
export type StartLocked = (context: Context, id: ContainerId) => Promise<void>

async function exitLocked(context: Context, report: ExitReport, start: StartLocked): Promise<void> {
  const { containerId: id } = report
  const before = context.registry.byId(id)
  if (!before) return await endStranger(context, id)
  if (!isAlive(before)) return context.runtime.release(id)
  // Told twice, by the list and by itself; the container has been started again since.
  if (report.exitedAt === before.state.finishedAt) return
  fault('exit: reported')
  context.health.stop(id)
  context.execs.forgetUnstarted(id)
  // Known before anybody hears of the exit: whoever waited for it may end the suspension.
  const isSuspended = context.restarts.isSuspended(id)
  const restart = decideRestart(context, before, report)
  await leaveNetworks(context, id)
  const after = recordExit(context, before, report, restart !== undefined)
  fault('exit: recorded')
  await releaseRun(context, after)
  if (restart !== undefined) scheduleRestart(context, id, restart, start)
  // Whoever suspended it starts or removes it next.
  else if (after.hostConfig.AutoRemove && !isSuspended) await removeLocked(context, id, { volumes: true })
}

/** Half a millisecond, before anybody hears of the exit, as Docker does: who waited for it finds ports and addresses free. */
async function leaveNetworks(context: Context, id: ContainerId): Promise<void> {
  try {
    await context.networks.detach(id)
  } catch (error) {
    // It is tried again with all that the run holds.
    context.logger.warn({ id, error: messageOf(error) }, 'leaving the networks')
  }
}

/** The end of what is in no record: a build's, which looks after itself, or one that an earlier engine left behind. */
async function endStranger(context: Context, id: ContainerId): Promise<void> {
  await context.runtime.release(id)
  if (context.strangers.delete(id)) await releaseStranger(context, id)
}

/** Commits the exit, then tells whoever waits: the rest of the teardown follows, nobody waits for it. */
function recordExit(context: Context, before: Container, report: ExitReport, restarts: boolean): Container {
  const { exitCode, oomKilled, exitedAt } = report
  const after = context.registry.transition(before.id, {
    status: restarts ? 'restarting' : 'exited',
    pid: 0,
    exitCode,
    oomKilled,
    finishedAt: exitedAt,
    endpoints: endpointsAtRest(before),
    restartCount: before.restartCount + (restarts ? 1 : 0),
    ...(before.state.health ? { health: { ...before.state.health, status: 'unhealthy' } } : {}),
  })
  for (let untold = context.stops.tell(before.id); untold > 0; untold--) announce(context, after, 'stop')
  announce(context, after, 'die', { exitCode: String(exitCode), execDuration: String(runSeconds(before, exitedAt)) })
  context.waiters.exited(before.id, { exitCode })
  return after
}

/** A container that does not run has no addresses; which networks it is in stays known. */
export function endpointsAtRest({ requestedEndpoints, endpoints }: Container): Container['endpoints'] {
  const entries = Object.entries(requestedEndpoints)
  return Object.fromEntries(
    entries.map(([name, endpoint]) => {
      const { NetworkID = '', DNSNames = null } = ownValue(endpoints, name) ?? {}
      return [name, { ...endpoint, NetworkID, DNSNames }]
    }),
  )
}

function runSeconds({ state }: Container, exitedAt: string): bigint {
  return ((parseTimeNs(exitedAt) ?? 0n) - (parseTimeNs(state.startedAt) ?? 0n)) / 1_000_000_000n
}

/** Milliseconds until the restart, or undefined for none. */
function decideRestart(context: Context, container: Container, report: ExitReport): number | undefined {
  if (!context.isOpen() || context.restarts.isSuspended(container.id)) return undefined
  const ranMs = Number(
    ((parseTimeNs(report.exitedAt) ?? 0n) - (parseTimeNs(container.state.startedAt) ?? 0n)) / 1_000_000n,
  )
  return planRestart({
    policy: container.hostConfig.RestartPolicy,
    exitCode: report.exitCode,
    stoppedByUser: container.stoppedByUser,
    restartCount: container.restartCount,
    ranMs,
    previousDelayMs: context.restarts.previousDelayMs(container.id),
  })
}

/** Runs the policy's restart after `delayMs`; whoever cancels it leaves the container exited. */
export function scheduleRestart(context: Context, id: ContainerId, delayMs: number, start: StartLocked): void {
  const restart = () =>
    void context.locks
      .run(id, () => restartLocked(context, id, start))
      .catch((error: unknown) => context.logger.warn({ id, error: messageOf(error) }, 'restart policy: start failed'))
  context.restarts.schedule(id, delayMs, restart, () => settleCancelled(context, id))
}

/** The policy's restart of a container whose lock is held; the exit before it has counted it. */
export async function restartLocked(context: Context, id: ContainerId, start: StartLocked): Promise<void> {
  if (context.registry.byId(id)?.state.status !== 'restarting') return
  await start(context, id)
}

function settleCancelled(context: Context, id: ContainerId): void {
  const container = context.registry.byId(id)
  if (container?.state.status !== 'restarting') return
  context.registry.transition(id, { status: 'exited', finishedAt: nowText() })
  context.waiters.exited(id, { exitCode: container.state.exitCode })
}

async function onExecExit(context: Context, report: ExitReport): Promise<void> {
  const { containerId, execId, exitCode } = report
  if (execId === undefined) return
  const exec = context.execs.ended(execId, exitCode)
  const container = context.registry.byId(containerId)
  if (container && exec) {
    context.registry.setExecs(containerId, context.execs.liveOf(containerId))
    announce(context, container, 'exec_die', { execID: execId, exitCode: String(exitCode) })
  }
  await context.runtime.releaseExec(containerId, execId)
}
