import type { ContainerId } from '@berth/base'
import type { VolumeUse } from './volume.ts'

/** Which containers have which volumes: those that are made, by who knows of them, and those that are being made. */
export class VolumeUses {
  readonly #queries: (() => Iterable<VolumeUse>)[] = []
  readonly #held = new Map<ContainerId, Set<string>>()

  addQuery(query: () => Iterable<VolumeUse>): void {
    this.#queries.push(query)
  }

  /** A container that is being made has the volume, until `release()`. */
  hold(name: string, containerId: ContainerId): void {
    const names = this.#held.get(containerId) ?? new Set()
    this.#held.set(containerId, names.add(name))
  }

  /** The volumes that were held for the container. */
  release(containerId: ContainerId): ReadonlySet<string> {
    const names = this.#held.get(containerId) ?? new Set()
    this.#held.delete(containerId)
    return names
  }

  /** The containers that have the volume, each once. */
  of(name: string): Set<ContainerId> {
    const uses = [...this.#all()].filter(({ volume }) => volume === name)
    return new Set(uses.map(({ containerId }) => containerId))
  }

  /** The containers that have each volume that a container has. */
  byVolume(): Map<string, Set<ContainerId>> {
    const users = new Map<string, Set<ContainerId>>()
    for (const { volume, containerId } of this.#all()) {
      const known = users.get(volume)
      if (known) known.add(containerId)
      else users.set(volume, new Set([containerId]))
    }
    return users
  }

  *#all(): Generator<VolumeUse> {
    for (const query of this.#queries) yield* query()
    for (const [containerId, names] of this.#held) for (const volume of names) yield { volume, containerId }
  }
}
