import { type ContainerId, messageOf, nowText, parseTimeNs } from '@berth/base'
import { killPid } from '@berth/linux'
import type { SupervisedContainer } from '@berth/runtime'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { adoptMemberships } from './membership.ts'
import { endpointsAtRest, onExit, restartLocked, type StartLocked } from './on-exit.ts'
import { unpauseLocked } from './pause.ts'
import { sweepPins } from './pinned-mounts.ts'
import { releaseRun } from './release.ts'
import { removeLocked } from './remove.ts'
import { recordStart } from './start.ts'
import { isAlive } from './stop.ts'
import { sweepOrphans } from './sweep-orphans.ts'
import { volumeUses } from './volumes.ts'

/** The exit code of a container whose end nobody saw: the machine went down, or the supervisor. */
const unseenExitCode = 255

/**
 * Brings the records in line with what the supervisor and the kernel say, once at start: adopts what runs, takes in
 * exits that nobody saw, finishes removals, sweeps what belongs to no record, and applies restart policies.
 */
export async function reconcile(context: Context, start: StartLocked): Promise<void> {
  const supervised = await context.runtime.list()
  await context.networks.reconcile(supervised.map(({ containerId }) => containerId))
  const adopted = new Set<ContainerId>()
  for (const entry of supervised) if (await adopt(context, entry, start)) adopted.add(entry.containerId)
  const rest = context.registry.all().filter(({ id }) => !adopted.has(id))
  const known = new Set(supervised.map(({ containerId }) => containerId))
  for (const container of context.registry.all()) await sweepPins(context, container)
  for (const container of rest) await settle(context, container, known.has(container.id))
  await context.volumes.reconcile(volumeUses(context.registry.all().filter(isAlive)))
  await sweepOrphans(context, known)
  for (const container of context.registry.all()) restartAtBoot(context, container, start)
}

/** False when nothing is left of the run but what `settle` gives back. */
async function adopt(context: Context, entry: SupervisedContainer, start: StartLocked): Promise<boolean> {
  const { containerId: id, pid, startedAt, exit } = entry
  const container = context.registry.byId(id)
  if (!container) {
    await endStranger(context, entry, start)
    return false
  }
  if (!isAlive(container)) {
    // The run is over, by a record that berthd died after, or by a report that came just now.
    if (!isLater(startedAt, container.state.startedAt)) return false
    // berthd died between the start and its record.
    const endpoints = context.networks.attachment(id)?.endpoints ?? container.endpoints
    recordStart(context, container, { pid, startedAt, endpoints })
  }
  if (exit) await onExit(context, exit, start)
  else await goOn(context, entry)
  return true
}

const isLater = (time: string, than: string): boolean => (parseTimeNs(time) ?? 0n) > (parseTimeNs(than) ?? 0n)

/** A container that has run on by itself; its end may be reported any moment. */
async function goOn(context: Context, { containerId: id, execs }: SupervisedContainer): Promise<void> {
  for (const exec of execs) if (exec.exit) await context.runtime.releaseExec(id, exec.execId)
  await context.locks.run(id, async () => {
    const container = context.registry.byId(id)
    if (!container || !isAlive(container)) return
    adoptMemberships(context, id)
    context.health.start(id)
    await alignFreezer(context, container).catch((error: unknown) => {
      context.logger.warn({ id, error: messageOf(error) }, 'adopting a container: its freezer')
    })
  })
}

/** A pause or its end may have been cut short, and nobody else would end the one of a commit. */
async function alignFreezer(context: Context, { id, state }: Container): Promise<void> {
  if (state.status === 'running') await context.runtime.resume(id)
  else if (state.isPausedByEngine) await unpauseLocked(context, id)
  else await context.runtime.pause(id)
}

/** A container that is in no record can only be a leftover; `onExit` releases it once it has ended. */
async function endStranger(
  context: Context,
  { containerId, exit }: SupervisedContainer,
  start: StartLocked,
): Promise<void> {
  if (!exit && context.unreadable.has(containerId)) return
  context.logger.warn({ id: containerId }, 'ending a container that is in no record')
  context.strangers.add(containerId)
  const end = exit ? onExit(context, exit, start) : context.runtime.kill({ containerId }, 9)
  await end.catch((error: unknown) => {
    context.logger.warn({ id: containerId, error: messageOf(error) }, 'ending a stranger')
  })
}

/** A container that does not run: what an end cut short has left is given back. */
async function settle(context: Context, { id }: Container, wasSupervised: boolean): Promise<void> {
  await context.locks.run(id, async () => {
    const container = context.registry.resolve(id)
    // One that was supervised and is alive has been restarted since: its end was reported meanwhile.
    if (wasSupervised && isAlive(container)) return
    const holds = wasSupervised || isAlive(container) || context.snapshots.isMounted(id)
    if (isAlive(container)) {
      const endpoints = endpointsAtRest(container)
      const ended = { status: 'exited', pid: 0, exitCode: unseenExitCode, finishedAt: nowText(), endpoints } as const
      context.registry.transition(id, ended)
    }
    if (holds) await releaseRun(context, container)
    const { status } = container.state
    const isUnwanted = status === 'removing' || (container.hostConfig.AutoRemove && status !== 'created')
    if (!isUnwanted) return
    const volumes = container.hostConfig.AutoRemove
    await removeLocked(context, id, { volumes }).catch((error: unknown) =>
      context.logger.warn({ id, error: messageOf(error) }, 'finishing a removal'),
    )
  })
}

/** A restart that was due when berthd died happens now: it was decided and counted. The others are for an engine's start. */
function restartAtBoot(context: Context, container: Container, start: StartLocked): void {
  const { id, state } = container
  if (isAlive(container) || context.restarts.isPending(id)) return
  const isDue = state.status === 'restarting'
  if (!isDue && !wantsRestart(container)) return
  const restart = () => (isDue ? restartLocked(context, id, start) : start(context, id))
  void context.locks.run(id, restart).catch((error: unknown) => {
    context.logger.warn({ id, error: messageOf(error) }, 'restart policy: start failed')
  })
}

function wantsRestart({ hostConfig, state, stoppedByUser, hasBeenStarted, restartCount }: Container): boolean {
  if (!hasBeenStarted) return false
  const { Name, MaximumRetryCount } = hostConfig.RestartPolicy
  // The one that is due was counted at the exit.
  const restartsDone = restartCount - (state.status === 'restarting' ? 1 : 0)
  switch (Name) {
    case 'always':
      return true
    case 'unless-stopped':
      return !stoppedByUser
    case 'on-failure':
      return !stoppedByUser && state.exitCode !== 0 && (MaximumRetryCount === 0 || restartsDone < MaximumRetryCount)
    default:
      return false
  }
}

/**
 * The supervisor died and took the containers' streams with it: what still runs is ended, then treated as any exit,
 * so that restart policies hold.
 */
export async function onSupervisorLost(context: Context, start: StartLocked): Promise<void> {
  for (const { id } of context.registry.all().filter(isAlive)) {
    for (const pid of await context.runtime.pids(id).catch(() => [])) killPid(pid, 9)
    const report = { containerId: id, exitCode: unseenExitCode, oomKilled: false, exitedAt: nowText() }
    await onExit(context, report, start)
  }
}
