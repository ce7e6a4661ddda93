import { type ContainerId, invalid } from '@berth/base'
import type { Container } from './container.ts'
import type { Containers, WaitCondition, WaitResult } from './containers.ts'
import type { Context } from './context.ts'
import { isUp } from './stop.ts'

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
  const { id } = container
  const begunMs = isYetToStart(context, container, condition) ? undefined : performance.now()
  const wait = () => resultOf(context.registry.byId(id), condition) ?? context.waiters.wait(id, condition, signal)
  // One that is being started is about to run.
  const isStarting = condition === 'not-running' && context.starts.isUnderWay(id)
  const waiting = isStarting ? context.starts.settled(id).then(wait) : Promise.resolve(wait())
  return { result: afterOutput(context, id, waiting, begunMs) }
}

/** Who waits for the exit of what does not run reads the head of the answer first, and asks for the start then. */
function isYetToStart(context: Context, container: Container, condition: WaitCondition): boolean {
  const hasRunAlready = isUp(container) || container.state.status === 'removing'
  return condition !== 'not-running' && !hasRunAlready && !context.starts.isUnderWay(container.id)
}

/** What is known at once. */
function resultOf(container: Container | undefined, condition: WaitCondition): WaitResult | undefined {
  if (condition !== 'not-running' || !container) return undefined
  const { exitCode, error } = container.state
  return isUp(container) ? undefined : { exitCode, ...(error ? { error } : {}) }
}

async function afterOutput(
  context: Context,
  id: ContainerId,
  waiting: Promise<WaitResult>,
  begunMs: number | undefined,
): Promise<WaitResult> {
  const result = await waiting
  await context.outputs.ended(id, begunMs)
  return result
}
