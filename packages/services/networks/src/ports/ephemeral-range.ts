import { closeSync, openSync, readSync } from 'node:fs'

const path = '/proc/sys/net/ipv4/ip_local_port_range'

/** The ports that the kernel gives to clients (ip-sysctl), as they are set at the moment: of the namespace that it was made in. */
export class EphemeralRange implements Disposable {
  readonly #fd = openSync(path, 'r')
  readonly #text = Buffer.alloc(32)

  /** The first and the last one. */
  read(): [number, number] {
    const length = readSync(this.#fd, this.#text, 0, this.#text.length, 0)
    const [first = 32768, last = 60999] = this.#text.toString('latin1', 0, length).trim().split(/\s+/).map(Number)
    return [first, last]
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }
}
