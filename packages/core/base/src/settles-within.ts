import { longestTimerMs } from './clock.ts'

/**
 * True when `promise` settles in time; `timeoutMs` undefined waits for ever. `ref` false: the wait alone does not keep the
 * process running.
 */
export async function settlesWithin(
  promise: Promise<unknown>,
  timeoutMs: number | undefined,
  { ref = true }: { readonly ref?: boolean } = {},
): Promise<boolean> {
  if (timeoutMs === undefined) return promise.then(() => true)
  const { promise: timeout, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(resolve, Math.min(timeoutMs, longestTimerMs), false)
  if (!ref) timer.unref()
  try {
    return await Promise.race([promise.then(() => true), timeout])
  } finally {
    clearTimeout(timer)
  }
}
