import { forbidden, internal, invalid, type NetworkId, unavailable } from '@berth/base'
import type { Pool } from '../model.ts'
import { AddressPool } from './address-pool.ts'
import { type AddressRange, chooseSubnet } from './default-pools.ts'
import {
  contains,
  type Family,
  familyOf,
  formatSubnet,
  overlaps,
  parseSubnet,
  type Subnet,
  toNumber,
  toText,
} from './subnet.ts'

const inUse = 'Address already in use'

/** The subnets of the host's routes, but for those by the engine's own bridges and by `besides`. */
export type HostSubnets = (besides?: string) => readonly Subnet[]

/**
 * Which subnets and addresses are given out. Kept in memory: what the networks have is in their records, what the
 * containers have in their sandboxes' states, and both are entered here anew at start.
 */
export class Ipam {
  readonly #defaults: readonly AddressRange[]
  readonly #hostSubnets: HostSubnets
  readonly #pools = new Map<NetworkId, AddressPool[]>()

  constructor(defaults: readonly AddressRange[], hostSubnets: HostSubnets) {
    this.#defaults = defaults
    this.#hostSubnets = hostSubnets
  }

  /** A subnet of the configured pools that nobody has. It is not taken before `open`. */
  choose(family: Family, besides: readonly Subnet[] = []): Subnet {
    const taken = [...this.#subnets(), ...besides, ...this.#hostSubnets()]
    const subnet = chooseSubnet(this.#defaults, family, taken)
    if (!subnet) throw invalid('all predefined address pools have been fully subnetted')
    return subnet
  }

  /**
   * Throws `forbidden` when a subnet overlaps another network's or a route of the host, but for those by its own `link`: a
   * bridge, or a parent, whose neighbours the containers will be.
   */
  requireFree(subnets: readonly Subnet[], link?: string): void {
    for (const [index, subnet] of subnets.entries()) {
      const others = [...this.#subnets(), ...subnets.slice(0, index)]
      if (others.some((other) => overlaps(other, subnet))) {
        throw forbidden('invalid pool request: Pool overlaps with other one on this address space')
      }
      const route = this.#hostSubnets(link).find((other) => overlaps(other, subnet))
      if (route) {
        throw forbidden(
          `invalid pool request: Pool ${formatSubnet(subnet)} overlaps with the host's route ${formatSubnet(route)}`,
        )
      }
    }
  }

  /** Takes a network's subnets, with its gateways and auxiliary addresses. */
  open(id: NetworkId, pools: readonly Pool[]): void {
    this.#pools.set(id, pools.map(openPool))
  }

  close(id: NetworkId): void {
    this.#pools.delete(id)
  }

  /** Enters an address that a container has since an earlier process. */
  restore(id: NetworkId, address: string): void {
    this.#poolOf(id, address)?.restore(toNumber(address))
  }

  /** Takes the address that is asked for, or the next free one. Throws in Docker's words. */
  allocate(network: { readonly id: NetworkId; readonly name: string }, family: Family, wanted?: string): string {
    if (wanted !== undefined) return this.#take(network.id, wanted)
    for (const pool of this.#pools.get(network.id) ?? []) {
      const address = pool.subnet.family === family ? pool.allocate() : undefined
      if (address !== undefined) return toText(address, family)
    }
    const { name, id } = network
    throw unavailable(`no available IPv${family} addresses on this network's address pools: ${name} (${id})`)
  }

  release(id: NetworkId, address: string): void {
    this.#poolOf(id, address)?.release(toNumber(address))
  }

  /** The prefix length of the subnet that an address is in. */
  prefixLength(id: NetworkId, address: string): number {
    const pool = this.#poolOf(id, address)
    if (!pool) throw new Error(`no subnet of ${id} has ${address}`)
    return pool.subnet.prefixLength
  }

  #take(id: NetworkId, wanted: string): string {
    const pool = this.#poolOf(id, wanted)
    const number = toNumber(wanted)
    if (!pool?.take(number)) throw forbidden(inUse)
    return toText(number, pool.subnet.family)
  }

  #poolOf(id: NetworkId, address: string): AddressPool | undefined {
    const [number, family] = [toNumber(address), familyOf(address)]
    return this.#pools.get(id)?.find(({ subnet }) => subnet.family === family && contains(subnet, number))
  }

  #subnets(): Subnet[] {
    return [...this.#pools.values()].flatMap((pools) => pools.map(({ subnet }) => subnet))
  }
}

/** Docker takes the gateway first, and so names it when an auxiliary address is the same. */
function openPool({ subnet, range, gateway, auxiliary }: Pool): AddressPool {
  const pool = new AddressPool(parseSubnet(subnet), range === undefined ? undefined : parseSubnet(range))
  if (gateway !== undefined && !pool.take(toNumber(gateway)))
    throw internal(`failed to allocate gateway (${gateway}): ${inUse}`)
  for (const [name, address] of Object.entries(auxiliary)) {
    if (pool.take(toNumber(address))) continue
    throw internal(`failed to allocate secondary ip address (${name}:${address}): ${inUse}`)
  }
  return pool
}
