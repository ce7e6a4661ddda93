import { processKey, type ProcessTarget } from '../protocol/messages.ts'
import type { Client } from '../stdio/client.ts'

/** Beyond this the oldest are sent away: each may hold 64 KiB of input. */
const maxWaiting = 4096

/** Clients that attached before their process was started. One that closes its connection leaves. */
export class WaitingRoom {
  readonly #clients = new Map<Client, string>()

  add(target: ProcessTarget, client: Client): void {
    const [oldest] = this.#clients.keys()
    if (oldest && this.#clients.size >= maxWaiting) oldest.drop()
    this.#clients.set(client, processKey(target))
    client.onClose(() => this.#clients.delete(client))
  }

  /** The clients waiting for `target`, who wait no more. */
  take(target: ProcessTarget): Client[] {
    const key = processKey(target)
    const taken = [...this.#clients].filter(([, waitsFor]) => waitsFor === key).map(([client]) => client)
    for (const client of taken) this.#clients.delete(client)
    return taken
  }
}
