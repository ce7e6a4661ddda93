import { invalid } from '@berth/base'
import type { Containers, WaitCondition } from './containers.ts'
import type { Context } from './context.ts'

/** Looks up now; the result comes when the condition holds (at once when it does already). */
export function waitForContainer(
  context: Context,
  ref: string,
  condition: WaitCondition,
  signal: AbortSignal,
): ReturnType<Containers['wait']> {
  const container = context.registry.resolve(ref)
  if (!['not-running', 'next-exit', 'removed'].includes(condition)) {
    throw invalid(`invalid condition: "${String(condition)}"`)
  }
  const { status, exitCode, error } = container.state
  const isOver = status === 'created' || status === 'exited' || status === 'dead'
  if (condition === 'not-running' && isOver) {
    return { result: Promise.resolve({ exitCode, ...(error ? { error } : {}) }) }
  }
  return { result: context.waiters.wait(container.id, condition, signal) }
}
