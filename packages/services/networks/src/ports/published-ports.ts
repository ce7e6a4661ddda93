import { closeSync } from 'node:fs'
import { type DescriptorStore, internal, isKind, type Logger, messageOf } from '@berth/base'
import { isUnspecified } from '../firewall/elements.ts'
import type { PublishedPort } from '../firewall/rules.ts'
import { hasLoopbackV6 } from '@berth/linux'
import { EphemeralRange } from './ephemeral-range.ts'
import { type PortRoute, planRoutes, type PortTarget, type RelayUse, type WantedPort } from './plan-ports.ts'
import { listenerName, openListener, type PortListener } from './port-listener.ts'

/** Serves the connections that arrive at a listener's own socket. */
export interface PortRelay extends Disposable {
  add(listener: PortListener): void
  remove(listener: PortListener): void
}

export interface PublishedPortsOptions {
  readonly logger: Logger
  readonly store: DescriptorStore
  readonly relay: PortRelay
  /** What the relay carries; default: what the kernel cannot translate. */
  readonly relayUse?: RelayUse
}

/** Nobody waits longer for a supervisor that is busy: most never use the port again at once. */
const settleMs = 1000

const numberOf = ({ protocol, hostPort }: PublishedPort): string => `${hostPort}/${protocol}`
const keyOf = (port: PublishedPort): string => `${port.hostIp} ${numberOf(port)}`

/**
 * The host ports in use. Each is also bound by a socket, so that no process of the host takes it; what no translation
 * serves arrives there.
 */
export class PublishedPorts {
  readonly #options: PublishedPortsOptions
  /** The host's addresses on which a number is in use. */
  readonly #addresses = new Map<string, Set<string>>()
  readonly #listeners = new Map<string, PortListener>()
  readonly #range = new EphemeralRange()
  #nextPort = 0
  /** Sockets were given up since the last wait for their copies. */
  #hasClosed = false
  #settled: Promise<boolean> = Promise.resolve(true)

  constructor(options: PublishedPortsOptions) {
    this.#options = options
  }

  /**
   * Takes ports for a container: all or none. Throws `internal` in Docker's words when one is taken. The numbers of
   * `suspended` ports are the container's own, also afterwards.
   */
  publish(
    wanted: readonly WantedPort[],
    target: PortTarget,
    suspended: readonly PublishedPort[] = [],
  ): PublishedPort[] {
    const taken: PublishedPort[] = []
    // A host without IPv6 gets no binding that nobody asked for.
    const served = hasLoopbackV6() ? wanted : wanted.map(withoutSecondFamily)
    const own = new Set(suspended.map(keyOf))
    try {
      for (const one of served) taken.push(...this.#takeOne(one, target, own))
      return taken
    } catch (error) {
      this.suspend(taken)
      this.replace(taken, suspended)
      throw error
    }
  }

  /** Gives up the sockets of ports that are to lead elsewhere; their numbers stay taken. */
  suspend(ports: readonly PublishedPort[]): void {
    for (const port of ports) {
      const listener = this.#listeners.get(keyOf(port))
      this.#listeners.delete(keyOf(port))
      if (listener && !listener.ports.some((other) => this.#listeners.has(keyOf(other)))) this.#closeListener(listener)
    }
  }

  /** Opens suspended ports again and returns those; what a process of the host has taken meanwhile is released, and told. */
  resume(suspended: readonly PublishedPort[]): PublishedPort[] {
    for (const shared of groupBySocket(suspended)) {
      try {
        this.#own(openListener(shared))
      } catch (error) {
        this.#options.logger.warn({ error: messageOf(error) }, 'a published port is lost')
      }
    }
    const open = suspended.filter((port) => port.via === 'routed' || this.#listeners.has(keyOf(port)))
    this.replace(suspended, open)
    return open
  }

  /** Releases ports, but no number that one of `next` has. */
  replace(ports: readonly PublishedPort[], next: readonly PublishedPort[]): void {
    const kept = new Set(next.map(keyOf))
    this.release(ports.filter((port) => !kept.has(keyOf(port))))
  }

  /** At the start: takes back what an earlier process published; what a process of the host has taken meanwhile is only told. */
  restore(ports: readonly PublishedPort[]): void {
    for (const port of ports) this.#remember(port)
    for (const shared of groupBySocket(ports)) {
      try {
        this.#own(this.#reopen(shared))
      } catch (error) {
        if (!isKind(error, 'internal')) throw error
        this.#options.logger.warn({ error }, 'a process of the host has taken a published port')
      }
    }
  }

  #reopen(ports: readonly PublishedPort[]): PortListener {
    const name = listenerName(ports)
    const fd = this.#options.store.take(name)
    return fd === undefined ? openListener(ports) : { name, protocol: ports[0]?.protocol ?? 'tcp', fd, ports }
  }

  release(ports: readonly PublishedPort[]): void {
    this.suspend(ports)
    for (const port of ports) this.#forget(port)
  }

  /**
   * Resolves when what was released is free for all, the store's copies being closed too, or after a second: to whether it
   * is. Never rejects.
   */
  settle(): Promise<boolean> {
    if (this.#hasClosed) this.#settled = this.#settleStore()
    return this.#settled
  }

  async #settleStore(): Promise<boolean> {
    this.#hasClosed = false
    try {
      await this.#options.store.settle(AbortSignal.timeout(settleMs))
      return true
    } catch (error) {
      this.#options.logger.warn({ error: messageOf(error) }, 'ports that were given back may be in use for a while')
      // Who asks next waits again.
      this.#hasClosed = true
      return false
    }
  }

  #closeListener(listener: PortListener): void {
    if (listener.fd === undefined) return
    this.#hasClosed = true
    this.#options.relay.remove(listener)
    this.#options.store.drop(listener.name)
    closeSync(listener.fd)
  }

  #takeOne(wanted: WantedPort, target: PortTarget, own: ReadonlySet<string>): readonly PublishedPort[] {
    const routes = planRoutes(wanted, target, this.#options.relayUse)
    const listening = routes.filter(({ via }) => via !== 'routed')
    const routed = routes.filter(({ via }) => via === 'routed').map((route) => ({ ...route, hostPort: 0 }))
    if (listening.length === 0) return routed
    const ports = wanted.from === 0 ? this.#takeAny(listening, own) : this.#takeOf(listening, wanted, own)
    return [...routed, ...ports]
  }

  /** Of a range the first free one. */
  #takeOf(routes: readonly PortRoute[], { from, to }: WantedPort, own: ReadonlySet<string>): readonly PublishedPort[] {
    for (let hostPort = from; ; hostPort++) {
      try {
        return this.#take(routes, hostPort, own)
      } catch (error) {
        if (hostPort >= to) throw error
      }
    }
  }

  /** The next free one of those that the kernel gives to clients: released ones come last again. */
  #takeAny(routes: readonly PortRoute[], own: ReadonlySet<string>): readonly PublishedPort[] {
    const [first, last] = this.#range.read()
    for (let tried = first; tried <= last; tried++) {
      const hostPort = this.#nextPort < first || this.#nextPort > last ? first : this.#nextPort
      this.#nextPort = hostPort + 1
      try {
        return this.#take(routes, hostPort, own)
      } catch (error) {
        if (!isKind(error, 'internal') || !/in use|already allocated/.test(messageOf(error))) throw error
      }
    }
    throw internal('all ports are allocated')
  }

  #take(routes: readonly PortRoute[], hostPort: number, own: ReadonlySet<string>): readonly PublishedPort[] {
    const ports = routes.map((route) => ({ ...route, hostPort }))
    for (const port of ports) this.#checkFree(port, own)
    const opened: PortListener[] = []
    try {
      for (const shared of groupBySocket(ports)) opened.push(openListener(shared))
    } catch (error) {
      for (const { fd } of opened) if (fd !== undefined) closeSync(fd)
      throw error
    }
    for (const listener of opened) this.#own(listener)
    const taken = opened.flatMap((listener) => listener.ports)
    for (const port of taken) this.#remember(port)
    return taken
  }

  #checkFree(port: PublishedPort, own: ReadonlySet<string>): void {
    const others = [...(this.#addresses.get(numberOf(port)) ?? [])].filter(
      (hostIp) => !own.has(keyOf({ ...port, hostIp })),
    )
    const taken = others.find((address) => meets(address, port.hostIp))
    if (taken === undefined) return
    throw internal(`Bind for ${taken}:${port.hostPort} failed: port is already allocated`)
  }

  #own(listener: PortListener): void {
    for (const port of listener.ports) this.#listeners.set(keyOf(port), listener)
    if (listener.fd === undefined) return
    this.#options.store.put(listener.name, listener.fd)
    this.#options.relay.add(listener)
  }

  #remember(port: PublishedPort): void {
    if (port.via === 'routed') return
    const addresses = this.#addresses.get(numberOf(port)) ?? new Set()
    this.#addresses.set(numberOf(port), addresses.add(port.hostIp))
  }

  #forget(port: PublishedPort): void {
    const addresses = this.#addresses.get(numberOf(port))
    addresses?.delete(port.hostIp)
    if (addresses?.size === 0) this.#addresses.delete(numberOf(port))
  }

  /** Closes this process's copies of the sockets; what is published stays published. */
  [Symbol.dispose](): void {
    this.#options.relay[Symbol.dispose]()
    for (const { fd } of new Set(this.#listeners.values())) if (fd !== undefined) closeSync(fd)
    this.#listeners.clear()
    this.#range[Symbol.dispose]()
  }
}

const meets = (a: string, b: string): boolean =>
  a === b || (a.includes(':') === b.includes(':') && (isUnspecified(a) || isUnspecified(b)))

/** One socket serves the same port on both unspecified addresses; every other address has its own. */
function groupBySocket(ports: readonly PublishedPort[]): PublishedPort[][] {
  const listening = ports.filter(({ via }) => via !== 'routed')
  const groups = Map.groupBy(listening, (port) => {
    const { protocol, hostPort, containerPort, hostIp } = port
    return [protocol, hostPort, containerPort, isUnspecified(hostIp) ? 'any' : hostIp].join()
  })
  return [...groups.values()]
}

const withoutSecondFamily = (wanted: WantedPort): WantedPort => ({ ...wanted, hostIps: wanted.hostIps.slice(0, 1) })
