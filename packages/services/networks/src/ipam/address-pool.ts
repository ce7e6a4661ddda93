import { firstAddress, lastAddress, type Subnet } from './subnet.ts'

/**
 * Which addresses of a subnet are in use. A released address is the last to be handed out again, so that neither a
 * neighbour's cache nor a link that the kernel has not removed yet answers for its next owner.
 */
export class AddressPool {
  readonly #subnet: Subnet
  readonly #used: Set<number>
  #next: number

  /** `reserved` is never handed out: the gateway. */
  constructor(subnet: Subnet, reserved: readonly number[]) {
    this.#subnet = subnet
    this.#used = new Set(reserved)
    this.#next = firstAddress(subnet)
  }

  /** Marks an address that an earlier process handed out. */
  restore(address: number): void {
    this.#used.add(address)
    if (address >= this.#next) this.#next = address + 1
  }

  /** The next free address, or undefined when there is none. */
  allocate(): number | undefined {
    const [first, last] = [firstAddress(this.#subnet), lastAddress(this.#subnet)]
    for (let tried = first; tried <= last; tried++) {
      const address = this.#next > last ? first : this.#next
      this.#next = address + 1
      if (this.#used.has(address)) continue
      this.#used.add(address)
      return address
    }
    return undefined
  }

  release(address: number): void {
    this.#used.delete(address)
  }
}
