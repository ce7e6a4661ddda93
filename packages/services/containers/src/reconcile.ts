import { messageOf, nowText } from '@berth/base'
import { killPid } from '@berth/linux'
import type { SupervisedContainer } from '@berth/runtime'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { endpointsAtRest, onExit, type StartLocked } from './on-exit.ts'
import { releaseRun } from './release.ts'
import { removeLocked } from './remove.ts'
import { isAlive } from './stop.ts'

/** The exit code of a container whose end nobody saw: the machine went down, or the supervisor. */
const unseenExitCode = 255

/**
 * Brings the records in line with what the supervisor and the kernel say, once at start: adopts what runs, takes in
 * exits that nobody saw, finishes removals, and applies restart policies.
 */
export async function reconcile(context: Context, start: StartLocked): Promise<void> {
  const supervised = new Map((await context.runtime.list()).map((entry) => [entry.containerId, entry]))
  await context.networks.reconcile([...supervised.keys()])
  for (const entry of supervised.values()) await adopt(context, entry, start)
  const rest = context.registry.all().filter(({ id }) => !supervised.has(id))
  for (const container of rest) await settle(context, container)
  for (const container of context.registry.all()) restartAtBoot(context, container, start)
}

async function adopt(context: Context, entry: SupervisedContainer, start: StartLocked): Promise<void> {
  const { containerId: id } = entry
  const container = context.registry.byId(id)
  if (!container) return endStranger(context, entry)
  if (!isAlive(container)) {
    // berthd died between the start and its record.
    context.registry.transition(id, {
      status: 'running',
      pid: entry.pid,
      startedAt: entry.startedAt,
      hasBeenStarted: true,
    })
  }
  if (entry.exit) return onExit(context, entry.exit, start)
  for (const exec of entry.execs) if (exec.exit) await context.runtime.releaseExec(id, exec.execId)
  context.health.start(id)
}

/** A container that is in no record can only be a leftover; `onExit` releases it once it has ended. */
async function endStranger(context: Context, { containerId, exit }: SupervisedContainer): Promise<void> {
  context.logger.warn({ id: containerId }, 'ending a container that is in no record')
  const end = exit ? context.runtime.release(containerId) : context.runtime.kill({ containerId }, 9)
  await end.catch((error: unknown) => {
    context.logger.warn({ id: containerId, error: messageOf(error) }, 'ending a stranger')
  })
}

/** A container that the supervisor does not know cannot be running. */
async function settle(context: Context, container: Container): Promise<void> {
  const { id } = container
  await context.locks.run(id, async () => {
    if (isAlive(container)) {
      const endpoints = endpointsAtRest(container)
      const ended = { status: 'exited', pid: 0, exitCode: unseenExitCode, finishedAt: nowText(), endpoints } as const
      context.registry.transition(id, ended)
      await releaseRun(context, container)
    }
    const { status } = container.state
    const isUnwanted = status === 'removing' || (container.hostConfig.AutoRemove && status !== 'created')
    if (!isUnwanted) return
    await removeLocked(context, id).catch((error: unknown) =>
      context.logger.warn({ id, error: messageOf(error) }, 'finishing a removal'),
    )
  })
}

function restartAtBoot(context: Context, container: Container, start: StartLocked): void {
  const { id, state } = container
  if (isAlive(container) || !wantsRestart(container)) return
  const restart = async () => {
    if (state.status === 'restarting') context.registry.transition(id, { status: 'exited' })
    await start(context, id)
  }
  void context.locks.run(id, restart).catch((error: unknown) => {
    context.logger.warn({ id, error: messageOf(error) }, 'restart policy: start failed')
  })
}

function wantsRestart({ hostConfig, state, stoppedByUser, hasBeenStarted, restartCount }: Container): boolean {
  if (!hasBeenStarted) return false
  const { Name, MaximumRetryCount } = hostConfig.RestartPolicy
  switch (Name) {
    case 'always':
      return true
    case 'unless-stopped':
      return !stoppedByUser
    case 'on-failure':
      return !stoppedByUser && state.exitCode !== 0 && (MaximumRetryCount === 0 || restartCount < MaximumRetryCount)
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
