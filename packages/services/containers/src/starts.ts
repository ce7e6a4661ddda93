import type { ContainerId } from '@berth/base'

/** The starts that clients asked for and that are under way: Docker holds everybody else off a container while it starts. */
export class Starts {
  readonly #underWay = new Map<ContainerId, Promise<unknown>>()

  /** Runs `start`, as the last one of the container. */
  async during(id: ContainerId, start: () => Promise<void>): Promise<void> {
    const running = start()
    this.#underWay.set(id, running)
    try {
      await running
    } finally {
      if (this.#underWay.get(id) === running) this.#underWay.delete(id)
    }
  }

  isUnderWay(id: ContainerId): boolean {
    return this.#underWay.has(id)
  }

  /** Resolves when nobody starts the container any more, whatever came of it. */
  async settled(id: ContainerId): Promise<void> {
    await this.#underWay.get(id)?.catch(() => {})
  }
}
