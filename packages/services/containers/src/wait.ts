import { type ContainerId, invalid } from '@berth/base'
import type { Containers, WaitCondition, WaitResult } from './containers.ts'
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
  const known = { exitCode, ...(error ? { error } : {}) }
  const waiting =
    condition === 'not-running' && isOver
      ? Promise.resolve(known)
      : context.waiters.wait(container.id, condition, signal)
  return { result: afterOutput(context, container.id, waiting) }
}

async function afterOutput(context: Context, id: ContainerId, waiting: Promise<WaitResult>): Promise<WaitResult> {
  const begunMs = performance.now()
  const result = await waiting
  await context.outputs.ended(id, begunMs)
  return result
}
