import { contains, lastOf, type Subnet } from './subnet.ts'

/**
 * Which addresses of a subnet are in use. A released address is the last to be handed out again, so that neither a
 * neighbour's cache nor a link that the kernel has not removed yet answers for its next owner.
 */
export class AddressPool {
  readonly subnet: Subnet
  readonly #first: bigint
  readonly #last: bigint
  readonly #used = new Set<bigint>()
  #next: bigint

  /** Addresses are chosen from `range`; any of the subnet's may be taken by name. */
  constructor(subnet: Subnet, range: Subnet = subnet) {
    this.subnet = subnet
    for (const address of unusable(subnet)) this.#used.add(address)
    this.#first = range.base
    this.#last = lastOf(range)
    this.#next = this.#first
  }

  /** Marks an address that an earlier process handed out, or that was asked for by name; false when it is in use. */
  take(address: bigint): boolean {
    if (!contains(this.subnet, address) || this.#used.has(address)) return false
    this.#used.add(address)
    return true
  }

  /** As `take`; what comes after it is chosen from behind it. */
  restore(address: bigint): void {
    this.#used.add(address)
    if (address >= this.#next && address <= this.#last) this.#next = address + 1n
  }

  /** The next free address, or undefined when there is none. */
  allocate(): bigint | undefined {
    const size = this.#last - this.#first + 1n
    for (let tried = 0n; tried < size; tried++) {
      const address = this.#next > this.#last ? this.#first : this.#next
      this.#next = address + 1n
      if (this.#used.has(address)) continue
      this.#used.add(address)
      return address
    }
    return undefined
  }

  release(address: bigint): void {
    if (!unusable(this.subnet).includes(address)) this.#used.delete(address)
  }
}

/** The network's own address (of IPv6 the routers' anycast) and the broadcast address; point-to-point links have neither. */
function unusable(subnet: Subnet): bigint[] {
  const { family, base, prefixLength } = subnet
  if (prefixLength >= (family === 4 ? 31 : 127)) return []
  return family === 4 ? [base, lastOf(subnet)] : [base]
}
