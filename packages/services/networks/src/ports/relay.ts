import { closeSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { messageOf } from '@berth/base'
import { acceptSocket, DatagramReader, Epoll, localAddress } from '@berth/linux'
import type { PublishedPort } from '../firewall/rules.ts'
import { ConnectionRelay, type ConnectionRelayOptions } from './connection-relay.ts'
import { DatagramRelay } from './datagram-relay.ts'
import type { PortListener } from './port-listener.ts'
import type { PortRelay } from './published-ports.ts'

/** Taken in one turn of the loop. */
const acceptsPerTurn = 64

/**
 * Carries connections and datagrams from the listeners of published ports to the containers: one for all ports, which
 * costs a port nothing but its socket.
 */
export class Relay implements PortRelay {
  readonly #report: ConnectionRelayOptions['report']
  readonly #listeners = new Map<number, PortListener>()
  readonly #connections: ConnectionRelay
  readonly #datagrams = new DatagramRelay()
  readonly #reader = new DatagramReader()
  readonly #epoll = new Epoll((fd) => this.#ready(fd))

  constructor(options: ConnectionRelayOptions) {
    this.#report = options.report
    this.#connections = new ConnectionRelay(options)
  }

  add(listener: PortListener): void {
    if (listener.fd === undefined || listener.protocol === 'sctp') return
    this.#listeners.set(listener.fd, listener)
    this.#connections.resume(listener.name)
    this.#epoll.add(listener.fd)
  }

  remove(listener: PortListener): void {
    if (listener.fd === undefined || !this.#listeners.delete(listener.fd)) return
    this.#epoll.remove(listener.fd)
    this.#connections.end(listener.name)
    this.#datagrams.end(listener.name)
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
      if (!target) closeSync(accepted)
      else this.#connections.carry(accepted, listener.name, { address: target.containerIp, port: target.containerPort })
    }
  }

  #receive(fd: number, listener: PortListener): void {
    for (let count = 0; count < acceptsPerTurn; count++) {
      const datagram = this.#reader.receive(fd)
      if (!datagram) return
      const target = targetOf(listener, datagram.to)
      if (target) this.#datagrams.forward(listener, datagram, target)
    }
  }

  /** What is carried goes on with the next process, where there is a store. */
  [Symbol.dispose](): void {
    this.#epoll[Symbol.dispose]()
    this.#listeners.clear()
    this.#connections[Symbol.dispose]()
    this.#datagrams[Symbol.dispose]()
  }
}

/** The port that a client asked for when it came to `address` of the host. */
const targetOf = ({ ports }: PortListener, address: string): PublishedPort | undefined =>
  ports.length > 1 ? ports.find(({ hostIp }) => isIPv4(hostIp) === isIPv4(address)) : ports[0]
