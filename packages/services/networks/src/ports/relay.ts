import { connect, Socket } from 'node:net'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { closeSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { messageOf } from '@berth/base'
import {
  acceptSocket,
  type Datagram,
  DatagramReader,
  Epoll,
  localAddress,
  type ReplyAddress,
  sendDatagram,
} from '@berth/linux'
import type { PublishedPort } from '../firewall/rules.ts'
import type { PortListener } from './port-listener.ts'
import type { PortRelay } from './published-ports.ts'

/** How long a client of a datagram port may be silent; as Docker has it. */
const flowIdleMs = 90_000
/** Datagram clients at once of all ports: each costs a socket. */
const maxFlows = 2048
/** Taken in one turn of the loop. */
const acceptsPerTurn = 64

interface Flow {
  readonly socket: UdpSocket
  readonly timer: NodeJS.Timeout
}

/**
 * Carries connections and datagrams from the listeners of published ports to the containers: one for all ports, which
 * costs a port nothing but its socket.
 */
export class Relay implements PortRelay {
  readonly #report: (fields: object, message: string) => void
  readonly #listeners = new Map<number, PortListener>()
  readonly #connections = new Map<string, Set<Socket>>()
  readonly #flows = new Map<string, Flow>()
  readonly #datagrams = new DatagramReader()
  readonly #epoll = new Epoll((fd) => this.#ready(fd))

  constructor(report: (fields: object, message: string) => void) {
    this.#report = report
  }

  add(listener: PortListener): void {
    if (listener.fd === undefined || listener.protocol === 'sctp') return
    this.#listeners.set(listener.fd, listener)
    this.#epoll.add(listener.fd)
  }

  remove(listener: PortListener): void {
    if (listener.fd === undefined || !this.#listeners.delete(listener.fd)) return
    this.#epoll.remove(listener.fd)
    for (const socket of this.#connections.get(listener.name) ?? []) socket.destroy()
    for (const [key, flow] of this.#flows) if (key.startsWith(`${listener.name} `)) this.#endFlow(key, flow)
  }

  #ready(fd: number): void {
    const listener = this.#listeners.get(fd)
    if (!listener) return
    try {
      if (listener.protocol === 'tcp') this.#accept(fd, listener)
      else this.#receive(fd, listener)
    } catch (error) {
      this.#report({ listener: listener.name, error: messageOf(error) }, 'the relay cannot take a connection')
    }
  }

  #accept(fd: number, listener: PortListener): void {
    for (let count = 0; count < acceptsPerTurn; count++) {
      const accepted = acceptSocket(fd)
      if (accepted === undefined) return
      const target = targetOf(listener, localAddress(accepted).address)
      if (target) this.#carry(accepted, listener, target)
      else closeSync(accepted)
    }
  }

  #carry(accepted: number, { name }: PortListener, { containerIp, containerPort }: PublishedPort): void {
    const client = new Socket({ fd: accepted, allowHalfOpen: true, readable: true, writable: true })
    const server = connect({ host: containerIp, port: containerPort, allowHalfOpen: true })
    const open = this.#connections.get(name) ?? new Set()
    this.#connections.set(name, open)
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(from)
      from.setNoDelay(true)
      // Its end, or that of the other side, follows.
      from.on('error', () => to.resetAndDestroy())
      from.once('close', () => {
        open.delete(from)
        if (open.size === 0) this.#connections.delete(name)
        if (!from.readableEnded) to.destroy()
      })
      from.pipe(to)
    }
  }

  #receive(fd: number, listener: PortListener): void {
    for (let count = 0; count < acceptsPerTurn; count++) {
      const datagram = this.#datagrams.receive(fd)
      if (!datagram) return
      const target = targetOf(listener, datagram.to)
      if (target) this.#forward(listener, datagram, target)
    }
  }

  #forward(listener: PortListener, { data, from, to, reply }: Datagram, target: PublishedPort): void {
    const key = `${listener.name} ${from.address} ${from.port} ${to}`
    const flow = this.#flows.get(key) ?? this.#openFlow(key, listener, { target, reply })
    if (!flow) return
    flow.timer.refresh()
    flow.socket.send(data, target.containerPort, target.containerIp, () => {})
  }

  #openFlow(
    key: string,
    { fd }: PortListener,
    { target, reply }: { readonly target: PublishedPort; readonly reply: ReplyAddress },
  ): Flow | undefined {
    if (this.#flows.size >= maxFlows || fd === undefined) return undefined
    const socket = createSocket(isIPv4(target.containerIp) ? 'udp4' : 'udp6')
    const flow: Flow = { socket, timer: setTimeout(() => this.#endFlow(key, flow), flowIdleMs).unref() }
    this.#flows.set(key, flow)
    socket.on('error', () => this.#endFlow(key, flow))
    socket.on('message', (data, { address, port }) => {
      // Others that found the port out are nobody whom the client has asked.
      if (address !== target.containerIp || port !== target.containerPort) return
      flow.timer.refresh()
      sendDatagram(fd, data, reply)
    })
    return flow
  }

  #endFlow(key: string, flow: Flow): void {
    if (this.#flows.get(key) !== flow) return
    this.#flows.delete(key)
    clearTimeout(flow.timer)
    flow.socket.close()
  }

  [Symbol.dispose](): void {
    for (const listener of this.#listeners.values()) this.remove(listener)
    this.#epoll[Symbol.dispose]()
  }
}

/** The port that a client asked for when it came to `address` of the host. */
const targetOf = ({ ports }: PortListener, address: string): PublishedPort | undefined =>
  ports.length > 1 ? ports.find(({ hostIp }) => isIPv4(hostIp) === isIPv4(address)) : ports[0]
