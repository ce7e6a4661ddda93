import { type Logger, messageOf } from '@berth/base'
import type { Context } from '../context.ts'
import type { PublishedPort } from '../firewall/rules.ts'
import type { Endpoint } from '../model.ts'
import { publishPorts, reachedAs } from './publish.ts'
import type { SandboxState } from './sandbox-states.ts'

const settlesToGoBack = 5

/**
 * Has a container's ports lead where its way out goes. Until it is over, nobody else of the engine's gets their numbers;
 * it is over with `commit` or `undo`.
 */
export class PortMove {
  readonly #context: Context
  readonly #state: SandboxState
  #ports: readonly PublishedPort[]
  #hasBegun = false

  constructor(context: Context, state: SandboxState) {
    this.#context = context
    this.#state = state
    this.#ports = state.ports
  }

  /** What is published now. */
  get ports(): readonly PublishedPort[] {
    return this.#ports
  }

  /** Throws what keeps them from going along; then there are none until `undo`. */
  async to(endpoints: readonly Endpoint[]): Promise<void> {
    if (reachedAs(this.#state.endpoints) === reachedAs(endpoints)) return
    const { ports, firewall } = this.#context
    const { request, name, ports: suspended } = this.#state
    this.#hasBegun = true
    this.#ports = []
    await firewall.unpublish(suspended)
    ports.suspend(suspended)
    await ports.settle()
    this.#ports = publishPorts(this.#context, { ...request, name, suspended }, endpoints)
    await firewall.publish(this.#ports)
  }

  commit(): void {
    if (this.#hasBegun) this.#context.ports.replace(this.#state.ports, this.#ports)
  }

  /** Has them lead where they led, all but those that a process of the host has taken meanwhile. Never throws. */
  async undo(): Promise<void> {
    if (!this.#hasBegun) return
    const { ports, firewall, logger } = this.#context
    const moved = this.#ports
    await attempt(logger, () => firewall.unpublish(moved))
    ports.suspend(moved)
    ports.replace(moved, this.#state.ports)
    // Nowhere else to go: a supervisor that is slow is worth more than one wait.
    for (let waits = 0; waits < settlesToGoBack && !(await ports.settle()); waits++);
    this.#ports = ports.resume(this.#state.ports)
    await attempt(logger, () => firewall.publish(this.#ports))
  }
}

async function attempt(logger: Logger, step: () => Promise<void>): Promise<void> {
  try {
    await step()
  } catch (error) {
    logger.warn({ error: messageOf(error) }, 'published ports may not lead where they led')
  }
}
