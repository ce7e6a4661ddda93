import type { Logger } from '@berth/base'

export interface TrimOptions {
  /** CPU time of this process so far, in milliseconds. */
  readonly cpuMs?: () => number
  readonly intervalMs?: number
  readonly trim: () => Promise<void>
  readonly logger: Pick<Logger, 'debug'>
}

/** Work that is worth a trim after it. */
const worthMs = 100

/** What an interval of rest takes at most. */
const restMs = 10

/**
 * Gives memory back once work has settled: the C library keeps what images, logs and streams needed, full of holes, which
 * is twice of what the engine needs at rest. Asks the clock of the process, so that nobody has to tell of work.
 */
export function trimWhenSettled({ trim, logger, intervalMs = 500, cpuMs = ownCpuMs }: TrimOptions): Disposable {
  let trimmedAt = 0
  let previous = cpuMs()
  const look = async () => {
    const now = cpuMs()
    const isDue = now - previous <= restMs && now - trimmedAt >= worthMs
    previous = now
    if (!isDue) return
    await trim()
    trimmedAt = previous = cpuMs()
  }
  const report = (error: unknown) => logger.debug({ error }, 'memory is not given back')
  const timer = setInterval(() => void look().catch(report), intervalMs)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

function ownCpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
