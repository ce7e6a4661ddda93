import { formatAddress, parseAddress } from '@berth/linux'

/** A container's place in one network, by the names that it has there. */
export interface DnsEndpoint {
  readonly endpointId: string
  readonly sandboxId: string
  readonly networkId: string
  readonly networkName: string
  /** The container's name first, then its aliases, short id and host name. */
  readonly dnsNames: readonly string[]
  readonly ipv4?: string | undefined
  readonly ipv6?: string | undefined
  /** Names that only this container knows others of the network by. */
  readonly links?: readonly { readonly alias: string; readonly name: string }[] | undefined
}

export interface Addresses {
  readonly ipv4: readonly string[]
  readonly ipv6: readonly string[]
}

interface NetworkNames {
  readonly byName: Map<string, Set<DnsEndpoint>>
  readonly byAddress: Map<string, DnsEndpoint>
}

/** Who is called what in which network. A container sees the names of the networks that it is in, and no others. */
export class DnsNames {
  readonly #networks = new Map<string, NetworkNames>()
  readonly #endpoints = new Map<string, DnsEndpoint>()
  readonly #bySandbox = new Map<string, Map<string, DnsEndpoint>>()

  /** Adds an endpoint, or replaces what was known of it. */
  put(endpoint: DnsEndpoint): void {
    this.remove(endpoint.endpointId)
    this.#endpoints.set(endpoint.endpointId, endpoint)
    entry(this.#bySandbox, endpoint.sandboxId, () => new Map()).set(endpoint.endpointId, endpoint)
    const { byName, byAddress } = entry(this.#networks, endpoint.networkId, () => ({
      byName: new Map(),
      byAddress: new Map(),
    }))
    for (const name of namesOf(endpoint)) entry(byName, name, () => new Set()).add(endpoint)
    for (const address of addressesOf(endpoint)) byAddress.set(address, endpoint)
  }

  remove(endpointId: string): void {
    const endpoint = this.#endpoints.get(endpointId)
    if (!endpoint) return
    this.#endpoints.delete(endpointId)
    const own = this.#bySandbox.get(endpoint.sandboxId)
    own?.delete(endpointId)
    if (own?.size === 0) this.#bySandbox.delete(endpoint.sandboxId)
    const network = this.#networks.get(endpoint.networkId)
    if (network) removeFrom(network, endpoint)
    if (network?.byName.size === 0) this.#networks.delete(endpoint.networkId)
  }

  /** The addresses of a name as a container sees it; `name.network` names one of its networks. Undefined: nobody's. */
  resolve(sandboxId: string, name: string): Addresses | undefined {
    const own = [...(this.#bySandbox.get(sandboxId)?.values() ?? [])]
    const asked = name.toLowerCase()
    return this.#resolveIn(own, asked) ?? this.#resolveDotted(own, asked)
  }

  /** Every dot may be the one between name and network: both may have dots. */
  #resolveDotted(own: readonly DnsEndpoint[], name: string): Addresses | undefined {
    for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
      const network = name.slice(dot + 1)
      const inNetwork = own.filter(({ networkName }) => networkName.toLowerCase() === network)
      const found = this.#resolveIn(inNetwork, name.slice(0, dot))
      if (found) return found
    }
    return undefined
  }

  #resolveIn(own: readonly DnsEndpoint[], name: string): Addresses | undefined {
    for (const { networkId, links = [] } of own) {
      const link = links.find(({ alias }) => alias.toLowerCase() === name)
      const found = link && this.#find(networkId, link.name.toLowerCase())
      if (found) return found
    }
    for (const { networkId } of own) {
      const found = this.#find(networkId, name)
      if (found) return found
    }
    return undefined
  }

  #find(networkId: string, name: string): Addresses | undefined {
    const endpoints = [...(this.#networks.get(networkId)?.byName.get(name) ?? [])]
    if (endpoints.length === 0) return undefined
    return {
      ipv4: endpoints.flatMap(({ ipv4 }) => (ipv4 === undefined ? [] : [ipv4])),
      ipv6: endpoints.flatMap(({ ipv6 }) => (ipv6 === undefined ? [] : [ipv6])),
    }
  }

  /** `name.network` of whoever has an address in one of the container's networks. */
  reverse(sandboxId: string, address: string): string | undefined {
    const canonical = canonicalAddress(address)
    for (const { networkId } of this.#bySandbox.get(sandboxId)?.values() ?? []) {
      const endpoint = canonical && this.#networks.get(networkId)?.byAddress.get(canonical)
      if (endpoint) return `${endpoint.dnsNames[0]}.${endpoint.networkName}`
    }
    return undefined
  }
}

const namesOf = ({ dnsNames }: DnsEndpoint): Set<string> => new Set(dnsNames.map((name) => name.toLowerCase()))

const addressesOf = ({ ipv4, ipv6 }: DnsEndpoint): string[] =>
  [ipv4, ipv6].flatMap((address) => (address === undefined ? [] : (canonicalAddress(address) ?? [])))

function canonicalAddress(address: string): string | undefined {
  try {
    return formatAddress(parseAddress(address))
  } catch {
    return undefined
  }
}

function removeFrom({ byName, byAddress }: NetworkNames, endpoint: DnsEndpoint): void {
  for (const name of namesOf(endpoint)) {
    const others = byName.get(name)
    others?.delete(endpoint)
    if (others?.size === 0) byName.delete(name)
  }
  for (const address of addressesOf(endpoint)) if (byAddress.get(address) === endpoint) byAddress.delete(address)
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key)
  if (found) return found
  const made = make()
  map.set(key, made)
  return made
}
