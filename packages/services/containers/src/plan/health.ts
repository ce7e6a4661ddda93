import { invalid } from '@berth/base'
import type { HealthConfig } from '@berth/engine-api'
import type { Health, HealthResult } from '../container.ts'

/** A healthcheck with its defaults filled in. */
export interface HealthSettings {
  readonly command: readonly string[]
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly startPeriodMs: number
  /** Between probes until the container is healthy or the start period is over. */
  readonly startIntervalMs: number
  readonly retries: number
}

const nsPerMs = 1_000_000
const keptResults = 5

/** What to probe and when; undefined without a healthcheck. `shell` is the image's, for CMD-SHELL. */
export function healthSettings(
  config: HealthConfig | undefined,
  shell: readonly string[] = [],
): HealthSettings | undefined {
  const command = probeCommand(config?.Test ?? [], shell.length > 0 ? shell : ['/bin/sh', '-c'])
  if (config === undefined || command === undefined) return undefined
  return {
    command,
    intervalMs: milliseconds(config.Interval, 30_000),
    timeoutMs: milliseconds(config.Timeout, 30_000),
    startPeriodMs: milliseconds(config.StartPeriod, 0),
    startIntervalMs: milliseconds(config.StartInterval, 5_000),
    retries: config.Retries || 3,
  }
}

function probeCommand([kind, ...rest]: readonly string[], shell: readonly string[]): readonly string[] | undefined {
  if (kind === 'CMD') return rest
  if (kind === 'CMD-SHELL') return [...shell, ...rest]
  return undefined
}

const milliseconds = (ns: number | undefined, otherwise: number): number => (ns ? ns / nsPerMs : otherwise)

export const initialHealth = (): Health => ({ status: 'starting', failingStreak: 0, log: [] })

/**
 * Health after one more probe. Failures while starting count only outside the start period; the first success ends
 * `starting`, `retries` failures in a row make `unhealthy`.
 */
export function reduceHealth(
  before: Health,
  result: HealthResult,
  rules: { readonly retries: number; readonly inStartPeriod: boolean },
): Health {
  const log = [...before.log, result].slice(-keptResults)
  if (result.exitCode === 0) return { status: 'healthy', failingStreak: 0, log }
  const isExcused = rules.inStartPeriod && before.status === 'starting'
  const failingStreak = isExcused ? before.failingStreak : before.failingStreak + 1
  return { status: failingStreak >= rules.retries ? 'unhealthy' : before.status, failingStreak, log }
}

/** Milliseconds until the next probe of a container that started `sinceStartMs` ago. */
export function nextDelayMs(settings: HealthSettings, health: Health, sinceStartMs: number): number {
  const isStarting = health.status === 'starting' && sinceStartMs < settings.startPeriodMs
  return isStarting ? Math.min(settings.startIntervalMs, settings.intervalMs) : settings.intervalMs
}

/** Throws `invalid` naming the field: durations below 1 ms, negative retries, a test of no known kind. */
export function validateHealthcheck(config: HealthConfig | undefined): void {
  if (config === undefined) return
  for (const name of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const) {
    const value = config[name] ?? 0
    if (value !== 0 && value < nsPerMs) throw invalid(`${name} in Healthcheck cannot be less than 1ms`)
  }
  if ((config.Retries ?? 0) < 0) throw invalid('Retries in Healthcheck cannot be negative')
  const [kind] = config.Test ?? []
  if (kind !== undefined && !['', 'NONE', 'CMD', 'CMD-SHELL'].includes(kind)) {
    throw invalid(`unknown type ${JSON.stringify(kind)} in Healthcheck.Test: use NONE, CMD or CMD-SHELL`)
  }
}
