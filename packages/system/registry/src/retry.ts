import { isKind } from '@berth/base'
import { setTimeout as delay } from 'node:timers/promises'
import { RegistryError } from './errors.ts'
import { BrokenOffError } from './http/read-limited.ts'
import type { Timeouts } from './settings.ts'

/** Milliseconds that a `Retry-After` header asks for: seconds or a date (RFC 9110, 10.2.3). */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}

/** How long to wait before try `next` (the second is 2); undefined: there is no point in it. */
export function planRetry(
  error: unknown,
  next: number,
  { retryMs, longestRetryMs }: Pick<Timeouts, 'retryMs' | 'longestRetryMs'>,
): number | undefined {
  if (!mayPass(error)) return undefined
  const asked = error instanceof RegistryError ? error.facts.retryAfterMs : undefined
  if (asked !== undefined) return asked > longestRetryMs ? undefined : asked
  return Math.min(longestRetryMs, retryMs * 2 ** (next - 2))
}

const passing: readonly number[] = [408, 425, 429, 500, 502, 503, 504]
const passingReasons = /: (?:EOF|i\/o timeout|timeout awaiting response headers|aborted|.*ECONNRESET.*)$/

/** Whether the same request may fare better a little later. */
export function mayPass(error: unknown): boolean {
  if (error instanceof BrokenOffError) return true
  if (error instanceof RegistryError) return passing.includes(error.facts.status)
  return isKind(error, 'unavailable') && passingReasons.test((error as Error).message)
}

/** Waits for `waitMs` before another try; `onRetry` hears how many seconds are left, now and with each that passes. */
export async function pauseBeforeRetry(waitMs: number, { signal, onRetry }: RetryOptions): Promise<void> {
  for (let leftMs = waitMs; leftMs > 0;) {
    onRetry?.(Math.ceil(leftMs / 1000))
    const stepMs = leftMs % 1000 || 1000
    await delay(stepMs, undefined, signal && { signal })
    leftMs -= stepMs
  }
}

export interface RetryOptions {
  readonly signal?: AbortSignal | undefined
  readonly onRetry?: ((secondsLeft: number) => void) | undefined
}

export interface RetriedOptions extends RetryOptions {
  readonly attempts: number
  readonly timeouts: Timeouts
  /** Whether an error is one that no other try changes, whatever it says. */
  readonly isFinal: (error: unknown) => boolean
}

/** Does `work` until it succeeds, fails for good, or has been tried `attempts` times. */
export async function retried<T>(
  work: () => Promise<T>,
  { attempts, timeouts, isFinal, ...options }: RetriedOptions,
): Promise<T> {
  for (let next = 2; ; next++) {
    try {
      return await work()
    } catch (error) {
      const waitMs = next > attempts || isFinal(error) ? undefined : planRetry(error, next, timeouts)
      if (waitMs === undefined || options.signal?.aborted) throw error
      await pauseBeforeRetry(waitMs, options)
    }
  }
}
