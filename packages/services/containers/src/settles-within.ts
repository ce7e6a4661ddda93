import { longestTimerMs } from '@berth/base'

/** True when `promise` settles in time; `timeoutMs` undefined waits for ever. */
export async function settlesWithin(promise: Promise<unknown>, timeoutMs: number | undefined): Promise<boolean> {
  if (timeoutMs === undefined) return promise.then(() => true)
  const { promise: timeout, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(resolve, Math.min(timeoutMs, longestTimerMs), false)
  try {
    return await Promise.race([promise.then(() => true), timeout])
  } finally {
    clearTimeout(timer)
  }
}
