import { codeOf, internal, invalid, notImplemented } from '@berth/base'
import type { PortBinding, PortMap } from '@berth/engine-api'
import { parseAddress, type PortReservation, reservePort } from '@berth/linux'
import type { PublishedPort } from '../firewall/rules.ts'

/** A binding that was asked for: `from` to `to` are the host ports to choose from, 0 to 0 lets the kernel choose. */
export interface WantedPort {
  readonly protocol: 'tcp' | 'udp'
  readonly hostIp: string
  readonly from: number
  readonly to: number
  readonly containerPort: number
}

/** Decodes port bindings. Throws `invalid` for a malformed one, `notImplemented` for what is not served yet. */
export function planPorts(bindings: PortMap): WantedPort[] {
  return Object.entries(bindings).flatMap(([port, wanted]) => {
    const [, number = '', protocol = 'tcp'] = /^(\d+)(?:\/(\w+))?$/.exec(port) ?? []
    const containerPort = parsePort(number, `invalid container port specification: ${port}`)
    if (protocol === 'sctp') throw notImplemented('publishing SCTP ports is not available yet')
    if (protocol !== 'tcp' && protocol !== 'udp') throw invalid(`invalid protocol: ${protocol}`)
    return (wanted ?? []).map((binding) => ({ protocol, containerPort, ...planBinding(binding) }))
  })
}

function planBinding({ HostIp, HostPort }: PortBinding): Pick<WantedPort, 'hostIp' | 'from' | 'to'> {
  if (HostIp.includes(':')) throw notImplemented(`publishing on IPv6 addresses is not available yet: ${HostIp}`)
  const hostIp = HostIp === '' ? '0.0.0.0' : HostIp
  try {
    parseAddress(hostIp)
  } catch (error) {
    throw invalid(`invalid host IP address: ${HostIp}`, error)
  }
  if (HostPort === '' || HostPort === '0') return { hostIp, from: 0, to: 0 }
  const [first = '', last = first] = HostPort.split('-', 2)
  const complaint = `invalid port specification: "${HostPort}"`
  const [from, to] = [parsePort(first, complaint), parsePort(last, complaint)]
  if (from > to) throw invalid(complaint)
  return { hostIp, from, to }
}

function parsePort(text: string, complaint: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65535) throw invalid(complaint)
  return port
}

const anyAddress = '0.0.0.0'
const keyOf = ({ protocol, hostPort }: PublishedPort): string => `${hostPort}/${protocol}`

/**
 * The host ports in use. Each is also bound by a socket of this process, so that no process of the host takes it; that
 * ends with the process, the firewall's entries do not.
 */
export class PublishedPorts {
  readonly #byPort = new Map<string, PublishedPort[]>()
  readonly #reservations = new Map<PublishedPort, PortReservation>()

  /** Takes a port for a container. Throws `internal` in Docker's words when it is taken. */
  publish(wanted: WantedPort, containerIp: string): PublishedPort {
    const { protocol, hostIp, containerPort, from, to } = wanted
    for (let hostPort = from; ; hostPort++) {
      try {
        return this.#take({ protocol, hostIp, hostPort, containerIp, containerPort, via: 'nat' })
      } catch (error) {
        // Of a range the first free one.
        if (hostPort >= to) throw error
      }
    }
  }

  /** Takes back a port that an earlier process published; false when a process of the host has taken it meanwhile. */
  restore(port: PublishedPort): boolean {
    this.#remember(port)
    try {
      this.#reservations.set(port, reservePort(port.protocol as 'tcp' | 'udp', port.hostIp, port.hostPort))
      return true
    } catch (error) {
      if (codeOf(error) === 'EADDRINUSE' || codeOf(error) === 'EADDRNOTAVAIL') return false
      throw error
    }
  }

  release(port: PublishedPort): void {
    this.#reservations.get(port)?.[Symbol.dispose]()
    this.#reservations.delete(port)
    const others = (this.#byPort.get(keyOf(port)) ?? []).filter((other) => other !== port)
    if (others.length > 0) this.#byPort.set(keyOf(port), others)
    else this.#byPort.delete(keyOf(port))
  }

  #take(port: PublishedPort): PublishedPort {
    const conflict = (this.#byPort.get(keyOf(port)) ?? []).some(({ hostIp }) => meets(hostIp, port.hostIp))
    if (conflict) throw internal(`Bind for ${port.hostIp}:${port.hostPort} failed: port is already allocated`)
    const reservation = reserve(port)
    const taken = { ...port, hostPort: reservation.port }
    this.#reservations.set(taken, reservation)
    this.#remember(taken)
    return taken
  }

  #remember(port: PublishedPort): void {
    this.#byPort.set(keyOf(port), [...(this.#byPort.get(keyOf(port)) ?? []), port])
  }

  /** Closes the reservations; what is published stays published. */
  [Symbol.dispose](): void {
    for (const reservation of this.#reservations.values()) reservation[Symbol.dispose]()
    this.#reservations.clear()
  }
}

const meets = (a: string, b: string): boolean => a === b || a === anyAddress || b === anyAddress

const reasons: Record<string, string> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'cannot assign requested address',
}

function reserve({ protocol, hostIp, hostPort, containerIp, containerPort }: PublishedPort): PortReservation {
  try {
    return reservePort(protocol as 'tcp' | 'udp', hostIp, hostPort)
  } catch (error) {
    const reason = reasons[codeOf(error) ?? '']
    if (reason === undefined) throw error
    const route = `${hostIp}:${hostPort}:${containerIp}:${containerPort}/${protocol}`
    throw internal(`failed to bind host port for ${route}: ${reason}`, error)
  }
}

/** The bindings as inspect shows them. */
export function toPortMap(ports: readonly PublishedPort[]): PortMap {
  const map: Record<string, PortBinding[]> = {}
  for (const { protocol, containerPort, hostIp, hostPort } of ports) {
    const bindings = (map[`${containerPort}/${protocol}`] ??= [])
    bindings.push({ HostIp: hostIp, HostPort: `${hostPort}` })
  }
  return map
}
