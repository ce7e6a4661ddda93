import type { ContainerId } from '@berth/base'
import { unmountAsync } from '@berth/linux'
import { isMounted, mountDevice } from './device-mount.ts'
import type { VolumeDevice } from './driver-options.ts'

/** Who has which volume mounted. A device is mounted for its first user and unmounted after the last. */
export class VolumeMounts {
  readonly #users = new Map<string, Map<ContainerId, number>>()

  usersOf(volume: string): ContainerId[] {
    return [...(this.#users.get(volume)?.keys() ?? [])]
  }

  /** The volumes that a container has mounted. */
  of(containerId: ContainerId): string[] {
    return [...this.#users].filter(([, users]) => users.has(containerId)).map(([volume]) => volume)
  }

  /** Notes a use that is there already. */
  note(volume: string, containerId: ContainerId): void {
    const users = this.#users.get(volume) ?? new Map<ContainerId, number>()
    users.set(containerId, (users.get(containerId) ?? 0) + 1)
    this.#users.set(volume, users)
  }

  /** The caller holds the volume's lock. */
  async mount(volume: string, containerId: ContainerId, at: MountPlace): Promise<void> {
    if (at.device) await mountDevice(at.device, at.target)
    this.note(volume, containerId)
  }

  /** Ends `count` of the container's uses, by default all. The caller holds the volume's lock. */
  async unmount(volume: string, containerId: ContainerId, at: MountPlace, count = Infinity): Promise<void> {
    const users = this.#users.get(volume)
    const left = (users?.get(containerId) ?? 0) - count
    if (left > 0) return void users?.set(containerId, left)
    users?.delete(containerId)
    if (users?.size === 0) this.#users.delete(volume)
    if (this.#users.has(volume) || !at.device || !isMounted(at.target)) return
    // Lazily: a process of a container that is about to end must not keep it.
    await unmountAsync(at.target, { detach: true })
  }
}

export interface MountPlace {
  readonly device: VolumeDevice | undefined
  readonly target: string
}
