import { type ContainerId, longestTimerMs } from '@berth/base'
import { announce } from './announce.ts'
import type { Health, HealthResult } from './container.ts'
import type { Context } from './context.ts'
import { probeHealth } from './health-probe.ts'
import { type HealthSettings, healthSettings, initialHealth, nextDelayMs, reduceHealth } from './plan/health.ts'

interface Monitor {
  readonly settings: HealthSettings
  readonly startedAtMs: number
  timer: NodeJS.Timeout | undefined
  isStopped: boolean
  isPaused: boolean
}

/** Runs the health probes of running containers, one at a time a container. */
export class HealthMonitors implements Disposable {
  readonly #monitors = new Map<ContainerId, Monitor>()
  readonly #context: () => Context

  constructor(context: () => Context) {
    this.#context = context
  }

  /** Begins with `starting`, or goes on with the health that is known. Nothing without a healthcheck. */
  start(id: ContainerId): void {
    this.stop(id)
    const container = this.#context().registry.byId(id)
    const settings = container && healthSettings(container.config.Healthcheck, container.config.Shell)
    if (!container || !settings) return
    if (!container.state.health) this.#context().registry.setHealth(id, initialHealth())
    const monitor: Monitor = {
      settings,
      startedAtMs: Date.parse(container.state.startedAt),
      timer: undefined,
      isStopped: false,
      isPaused: container.state.status === 'paused',
    }
    this.#monitors.set(id, monitor)
    this.#arm(id, monitor)
  }

  stop(id: ContainerId): void {
    const monitor = this.#monitors.get(id)
    if (!monitor) return
    monitor.isStopped = true
    clearTimeout(monitor.timer)
    this.#monitors.delete(id)
  }

  pause(id: ContainerId): void {
    const monitor = this.#monitors.get(id)
    if (!monitor) return
    monitor.isPaused = true
    const { registry } = this.#context()
    const health = registry.byId(id)?.state.health
    // As at an exit: nobody looks, so nobody should rely on it.
    if (health) registry.setHealth(id, { ...health, status: 'unhealthy' })
  }

  resume(id: ContainerId): void {
    const monitor = this.#monitors.get(id)
    if (monitor) monitor.isPaused = false
  }

  [Symbol.dispose](): void {
    for (const id of this.#monitors.keys()) this.stop(id)
  }

  #arm(id: ContainerId, monitor: Monitor): void {
    const health = this.#context().registry.byId(id)?.state.health ?? initialHealth()
    const delayMs = nextDelayMs(monitor.settings, health, Date.now() - monitor.startedAtMs)
    monitor.timer = setTimeout(() => void this.#tick(id, monitor), Math.min(delayMs, longestTimerMs))
    monitor.timer.unref()
  }

  async #tick(id: ContainerId, monitor: Monitor): Promise<void> {
    const container = this.#context().registry.byId(id)
    if (monitor.isStopped || !container) return
    if (!monitor.isPaused) {
      const result = await probeHealth(this.#context(), container, monitor.settings)
      if (monitor.isStopped) return
      this.#record(id, monitor, result)
    }
    this.#arm(id, monitor)
  }

  #record(id: ContainerId, monitor: Monitor, result: HealthResult): void {
    const { registry } = this.#context()
    const before = registry.byId(id)?.state.health
    if (!before) return
    const inStartPeriod = Date.parse(result.start) - monitor.startedAtMs < monitor.settings.startPeriodMs
    const health: Health = reduceHealth(before, result, { retries: monitor.settings.retries, inStartPeriod })
    const container = registry.setHealth(id, health)
    if (health.status !== before.status) announce(this.#context(), container, `health_status: ${health.status}`)
  }
}
