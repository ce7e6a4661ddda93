import { codeOf, internal } from '@berth/base'
import { listenSocket } from '@berth/linux'
import type { Protocol, PublishedPort } from '../firewall/rules.ts'

/**
 * The socket behind published ports of one number: it keeps the host's processes from the port, and takes the connections
 * that no translation serves.
 */
export interface PortListener {
  /** Stable: by it a later process knows the socket again. */
  readonly name: string
  readonly protocol: Protocol
  /** Undefined: the host's kernel does not know the protocol, so that nobody can take the port. */
  readonly fd: number | undefined
  readonly ports: readonly PublishedPort[]
}

export const listenerName = (ports: readonly PublishedPort[]): string => {
  const [first] = ports
  return `port/${first?.protocol}/${ports.map(({ hostIp }) => hostIp).join('+')}/${first?.hostPort}`
}

const reasons: Record<string, string> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EACCES: 'permission denied',
}

/** Opens the socket for ports that share it: one, or the same on both families' unspecified addresses. */
export function openListener(ports: readonly PublishedPort[]): PortListener {
  const [first] = ports
  if (!first) throw new Error('a listener without ports')
  const name = listenerName(ports)
  const { protocol, hostIp, hostPort } = first
  const bothFamilies = ports.length > 1
  try {
    const address = bothFamilies ? '::' : hostIp
    const { fd } = listenSocket({ protocol, address, port: hostPort, bothFamilies })
    return { name, protocol, fd, ports }
  } catch (error) {
    const code = codeOf(error) ?? ''
    if (protocol === 'sctp' && code === 'EPROTONOSUPPORT') return { name, protocol, fd: undefined, ports }
    if (bothFamilies && code === 'EAFNOSUPPORT') return openListener([first])
    const reason = reasons[code]
    if (reason === undefined) throw error
    throw internal(`failed to bind host port for ${describe(first)}: ${reason}`, error)
  }
}

const describe = ({ protocol, hostIp, hostPort, containerIp, containerPort }: PublishedPort): string =>
  `${bracketed(hostIp)}:${hostPort}:${bracketed(containerIp)}:${containerPort}/${protocol}`

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address)
