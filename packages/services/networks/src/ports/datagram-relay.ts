import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { isIPv4 } from 'node:net'
import { type Datagram, sendDatagram } from '@berth/linux'
import type { PublishedPort } from '../firewall/rules.ts'
import type { PortListener } from './port-listener.ts'

/** How long a client of a datagram port may be silent; as Docker has it. */
const flowIdleMs = 90_000
/** Datagram clients at once of all ports: each costs a socket. */
const maxFlows = 2048

interface Flow {
  readonly socket: UdpSocket
  readonly timer: NodeJS.Timeout
}

/** Carries datagrams to containers, and what is answered back: to the container each client is a port of the host's. */
export class DatagramRelay implements Disposable {
  readonly #flows = new Map<string, Flow>()

  forward(listener: PortListener, datagram: Datagram, target: PublishedPort): void {
    const { data, from, to } = datagram
    const key = `${listener.name} ${from.address} ${from.port} ${to}`
    const flow = this.#flows.get(key) ?? this.#openFlow(key, listener.fd, { datagram, target })
    if (!flow) return
    flow.timer.refresh()
    flow.socket.send(data, target.containerPort, target.containerIp, () => {})
  }

  /** Ends what came by this listener. */
  end(listener: string): void {
    for (const [key, flow] of this.#flows) if (key.startsWith(`${listener} `)) this.#endFlow(key, flow)
  }

  #openFlow(
    key: string,
    fd: number | undefined,
    { target, datagram }: { readonly target: PublishedPort; readonly datagram: Datagram },
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
      sendDatagram(fd, data, datagram.reply)
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
    for (const [key, flow] of this.#flows) this.#endFlow(key, flow)
  }
}
