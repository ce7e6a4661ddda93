import { invalid } from '@berth/base'
import type { HostConfig, RestartPolicy } from '@berth/engine-api'

const firstDelayMs = 100
const longestDelayMs = 60_000
/** A container that ran this long has recovered: the next delay is the first one again. */
const recoveredAfterMs = 10_000

export interface RestartQuestion {
  readonly policy: RestartPolicy
  readonly exitCode: number
  readonly stoppedByUser: boolean
  /** Restarts since a user started it. */
  readonly restartCount: number
  /** How long it ran. */
  readonly ranMs: number
  /** The delay before the last restart; 0: there was none. */
  readonly previousDelayMs: number
}

/** Milliseconds until the policy starts the container again, or undefined when it does not. */
export function planRestart(question: RestartQuestion): number | undefined {
  return isRestartDue(question) ? nextDelayMs(question) : undefined
}

function isRestartDue({ policy, exitCode, stoppedByUser, restartCount }: RestartQuestion): boolean {
  if (stoppedByUser) return false
  switch (policy.Name) {
    case 'always':
    case 'unless-stopped':
      return true
    case 'on-failure':
      return exitCode !== 0 && (policy.MaximumRetryCount === 0 || restartCount < policy.MaximumRetryCount)
    default:
      return false
  }
}

function nextDelayMs({ ranMs, previousDelayMs }: RestartQuestion): number {
  if (ranMs >= recoveredAfterMs || previousDelayMs === 0) return firstDelayMs
  return Math.min(previousDelayMs * 2, longestDelayMs)
}

/** Throws `invalid` in Docker's words. */
export function validateRestartPolicy(policy: RestartPolicy): void {
  const { Name: name, MaximumRetryCount: count } = policy
  if (!['', 'no', 'always', 'unless-stopped', 'on-failure'].includes(name)) {
    throw invalid(
      `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    )
  }
  if (name === 'on-failure') {
    if (count < 0) throw invalid('invalid restart policy: maximum retry count cannot be negative')
    return
  }
  if (count === 0) return
  const alsoNegative = count < 0 ? ' and cannot be negative' : ''
  throw invalid(`invalid restart policy: maximum retry count can only be used with 'on-failure'${alsoNegative}`)
}

/** A container that removes itself has nothing to restart. */
export function validateAutoRemove({
  AutoRemove,
  RestartPolicy,
}: Pick<HostConfig, 'AutoRemove' | 'RestartPolicy'>): void {
  if (AutoRemove && RestartPolicy.Name !== '' && RestartPolicy.Name !== 'no') {
    throw invalid("can't create 'AutoRemove' container with restart policy")
  }
}
