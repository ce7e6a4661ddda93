import { closeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { DescriptorStore } from '@berth/base'
import { duplicate } from '@berth/linux'

const dropMs = 20

/** What the supervisor does for the engine. */
export class KeptDescriptors implements DescriptorStore, Disposable {
  readonly #kept = new Map<string, number>()
  /** Another process closes what was dropped, a little later. */
  #closing: Promise<unknown> = Promise.resolve()

  put(name: string, fd: number): void {
    this.#kept.set(name, duplicate(fd))
  }

  left(): readonly string[] {
    return [...this.#kept.keys()]
  }

  take(name: string): number | undefined {
    const fd = this.#kept.get(name)
    return fd === undefined ? undefined : duplicate(fd)
  }

  drop(name: string): void {
    const fd = this.#kept.get(name)
    this.#kept.delete(name)
    if (fd === undefined) return
    this.#closing = Promise.all([this.#closing, delay(dropMs).then(() => closeSync(fd))])
  }

  async settle(_signal?: AbortSignal): Promise<void> {
    await this.#closing
  }

  [Symbol.dispose](): void {
    for (const name of this.#kept.keys()) this.drop(name)
  }
}
