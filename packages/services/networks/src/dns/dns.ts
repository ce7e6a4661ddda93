import { closeSync } from 'node:fs'
import { type DescriptorStore, type Logger, messageOf } from '@berth/base'
import { inNetns, listenSocket, LocalRedirect } from '@berth/linux'
import { answerQuery } from './answer.ts'
import { Forwarder, type UpstreamServer } from './forwarder.ts'
import { buildRefusal, buildResponse, parseQuery, responseCodes } from './message.ts'
import { type DnsEndpoint, DnsNames } from './names.ts'
import { Resolver, type Transport } from './resolver.ts'

/** Where every container on a user network finds the engine's DNS. */
export const resolverAddress = '127.0.0.11'
const resolverPort = 53
const tableName = 'berth_dns'
/** What may wait while this process is being restarted. */
const receiveBufferBytes = 4 << 20

export interface DnsSandbox {
  readonly sandboxId: string
  /** Its pinned namespace. */
  readonly pin: string
  readonly servers: readonly UpstreamServer[]
  /** One of its networks leads outside. */
  readonly forwards: boolean
  /** Names without dots are not for the outside: the container has set `ndots`. */
  readonly hasNdots: boolean
}

export interface DnsOptions {
  readonly logger: Logger
  readonly store: DescriptorStore
}

/** The DNS of the containers on user networks: one resolver a sandbox, all in this process. */
export interface Dns extends Disposable {
  /** Adds an endpoint's names, or replaces them. */
  put(endpoint: DnsEndpoint): void
  remove(endpointId: string): void
  /** Serves a sandbox; with the sockets that an earlier process left, where there are any. Idempotent. */
  open(sandbox: DnsSandbox): void
  update(sandboxId: string, change: Partial<Pick<DnsSandbox, 'forwards' | 'servers'>>): void
  /** Before the namespace is let go. Idempotent. */
  close(sandboxId: string): void
}

interface Served {
  sandbox: DnsSandbox
  readonly resolver: Resolver
}

export function openDns(options: DnsOptions): Dns {
  return new EmbeddedDns(options)
}

class EmbeddedDns implements Dns {
  readonly #options: DnsOptions
  readonly #names = new DnsNames()
  readonly #served = new Map<string, Served>()
  readonly #forwarder = new Forwarder()
  readonly #redirect = new LocalRedirect({ table: tableName, address: resolverAddress, port: resolverPort })

  constructor(options: DnsOptions) {
    this.#options = options
  }

  put(endpoint: DnsEndpoint): void {
    this.#names.put(endpoint)
  }

  remove(endpointId: string): void {
    this.#names.remove(endpointId)
  }

  open(sandbox: DnsSandbox): void {
    const { sandboxId } = sandbox
    const known = this.#served.get(sandboxId)
    if (known) {
      known.sandbox = sandbox
      return
    }
    const { logger } = this.#options
    const resolver = new Resolver({
      ...this.#sockets(sandbox),
      respond: (message, transport) => this.#respond(sandboxId, message, transport),
      report: (error) => logger.warn({ sandboxId, error: messageOf(error) }, 'the DNS of a container has failed'),
    })
    this.#served.set(sandboxId, { sandbox, resolver })
  }

  update(sandboxId: string, change: Partial<Pick<DnsSandbox, 'forwards' | 'servers'>>): void {
    const served = this.#served.get(sandboxId)
    if (served) served.sandbox = { ...served.sandbox, ...change }
  }

  close(sandboxId: string): void {
    const served = this.#served.get(sandboxId)
    this.#served.delete(sandboxId)
    served?.resolver[Symbol.dispose]()
    for (const name of socketNames(sandboxId)) this.#options.store.drop(name)
  }

  #sockets({ sandboxId, pin }: DnsSandbox): { udpFd: number; tcpFd: number } {
    const { store } = this.#options
    const [udpName, tcpName] = socketNames(sandboxId)
    const [udpFd, tcpFd] = [store.take(udpName), store.take(tcpName)]
    if (udpFd !== undefined && tcpFd !== undefined) return { udpFd, tcpFd }
    for (const fd of [udpFd, tcpFd]) if (fd !== undefined) closeSync(fd)
    const made = inNetns(pin, () => makeSockets(this.#redirect))
    store.put(udpName, made.udpFd)
    store.put(tcpName, made.tcpFd)
    return made
  }

  #respond(sandboxId: string, message: Buffer, transport: Transport): Buffer | undefined | Promise<Buffer | undefined> {
    const query = parseQuery(message)
    const sandbox = this.#served.get(sandboxId)?.sandbox
    if (!query || !sandbox) return undefined
    if ('code' in query) return buildRefusal(query)
    const maxBytes = transport === 'udp' ? query.udpBytes : undefined
    const answer = answerQuery(query, { names: this.#names, ...sandbox })
    if (answer !== 'forward') return buildResponse(query, answer, maxBytes)
    return this.#forwarder
      .forward({ query, message, transport, ...sandbox })
      .then((found) => found ?? buildResponse(query, { code: responseCodes.serverFailure, records: [] }, maxBytes))
  }

  /** Lets go of this process's sockets; the store's stay, for the next one. */
  [Symbol.dispose](): void {
    for (const { resolver } of this.#served.values()) resolver[Symbol.dispose]()
    this.#served.clear()
    this.#forwarder[Symbol.dispose]()
  }
}

const socketNames = (sandboxId: string) => [`dns/${sandboxId}/udp`, `dns/${sandboxId}/tcp`] as const

/** On ports of the kernel's choice: port 53 is the container's own, on every address. */
function makeSockets(redirect: LocalRedirect): { udpFd: number; tcpFd: number } {
  const address = { address: resolverAddress, port: 0 }
  const udp = listenSocket({ protocol: 'udp', ...address, receiveBufferBytes })
  try {
    const tcp = listenSocket({ protocol: 'tcp', ...address })
    try {
      redirect.apply({ udp: udp.port, tcp: tcp.port })
      return { udpFd: udp.fd, tcpFd: tcp.fd }
    } catch (error) {
      closeSync(tcp.fd)
      throw error
    }
  } catch (error) {
    closeSync(udp.fd)
    throw error
  }
}
