import { randomBytes } from 'node:crypto'
import { closeSync } from 'node:fs'
import { codeOf, type DescriptorStore, messageOf } from '@berth/base'
import { Epoll, resetConnection, type SocketAddress } from '@berth/linux'
import { CarriedConnection, openParts, partNames, type Parts } from './carried-connection.ts'

/** At once, of all ports: each has four descriptors here and four in the store. */
const maxConnections = 8192
const namePrefix = 'relay/'
/** How connections end that an end of theirs has given up. */
const usualFailures = ['ECONNRESET', 'EPIPE', 'ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']

/** A connection and how it is known. */
interface Carried {
  /** The name of the listener that it came by, and its own. */
  readonly listener: string
  readonly id: string
  readonly connection: CarriedConnection
}

export interface ConnectionRelayOptions {
  readonly store: DescriptorStore
  readonly report: (fields: object, message: string) => void
}

/** Carries connections from the listeners of published ports to containers, over deaths of this process. */
export class ConnectionRelay implements Disposable {
  readonly #options: ConnectionRelayOptions
  /** By the descriptors of both sockets. */
  readonly #bySocket = new Map<number, Carried>()
  readonly #byListener = new Map<string, Set<Carried>>()
  /** Those with more to move in the next turn of the loop. */
  readonly #busy = new Set<Carried>()
  /** Connections that an earlier process has left, by listener. */
  readonly #left: Map<string, Set<string>>
  readonly #epoll = new Epoll((fd, hasFailed) => this.#ready(fd, hasFailed))
  /** Tells this process's connections from those of others. */
  readonly #run = randomBytes(6).toString('hex')
  #nextNumber = 0

  constructor(options: ConnectionRelayOptions) {
    this.#options = options
    this.#left = connectionsLeft(options.store.left())
  }

  /** Goes on with what an earlier process carried from this listener. */
  resume(listener: string): void {
    const ids = this.#left.get(listener) ?? []
    this.#left.delete(listener)
    for (const id of ids) {
      const parts = this.#takeParts(listener, id)
      if (parts) this.#own({ listener, id, connection: new CarriedConnection(parts) })
    }
  }

  /** Connects to `target` for an accepted connection, which is this object's from now on. Throws when it cannot. */
  carry(client: number, listener: string, target: SocketAddress): void {
    const parts = this.#connect(client, target)
    const id = `${this.#run}-${this.#nextNumber++}`
    for (const part of partNames) this.#options.store.put(partName(listener, id, part), parts[part])
    this.#own({ listener, id, connection: new CarriedConnection(parts) })
  }

  /** Ends what came by this listener. */
  end(listener: string): void {
    for (const carried of this.#byListener.get(listener) ?? []) {
      carried.connection.end()
      this.#release(carried)
    }
  }

  #connect(client: number, target: SocketAddress): Parts {
    try {
      if (this.#bySocket.size >= 2 * maxConnections) throw new Error(`it carries ${maxConnections} already`)
      return openParts(client, target)
    } catch (error) {
      resetConnection(client)
      closeSync(client)
      throw error
    }
  }

  /** Undefined: the process died while it put them into the store. */
  #takeParts(listener: string, id: string): Parts | undefined {
    const { store } = this.#options
    const taken = partNames.map((part) => store.take(partName(listener, id, part)))
    const [client, server, up, down] = taken
    if (client !== undefined && server !== undefined && up !== undefined && down !== undefined)
      return { client, server, up, down }
    for (const fd of taken) if (fd !== undefined) closeSync(fd)
    for (const part of partNames) store.drop(partName(listener, id, part))
    return undefined
  }

  #own(carried: Carried): void {
    const { listener, connection } = carried
    const known = this.#byListener.get(listener) ?? new Set()
    this.#byListener.set(listener, known.add(carried))
    for (const fd of [connection.parts.client, connection.parts.server]) {
      this.#bySocket.set(fd, carried)
      // Tells at once what is the case already.
      this.#epoll.addEdges(fd)
    }
  }

  #release(carried: Carried): void {
    const { listener, id, connection } = carried
    const known = this.#byListener.get(listener)
    known?.delete(carried)
    if (known?.size === 0) this.#byListener.delete(listener)
    this.#busy.delete(carried)
    for (const fd of [connection.parts.client, connection.parts.server]) {
      this.#epoll.remove(fd)
      this.#bySocket.delete(fd)
    }
    for (const part of partNames) this.#options.store.drop(partName(listener, id, part))
    connection[Symbol.dispose]()
  }

  #ready(fd: number, hasFailed: boolean): void {
    const carried = this.#bySocket.get(fd)
    if (!carried) return
    this.#advance(carried)
    if (hasFailed && this.#bySocket.get(fd) === carried) this.#fail(carried)
  }

  #advance(carried: Carried): void {
    try {
      const progress = carried.connection.advance()
      if (progress === 'over') this.#release(carried)
      else if (progress === 'more') this.#advanceLater(carried)
    } catch (error) {
      this.#fail(carried)
      if (usualFailures.includes(codeOf(error) ?? '')) return
      this.#options.report({ listener: carried.listener, error: messageOf(error) }, 'a relayed connection has failed')
    }
  }

  #fail(carried: Carried): void {
    carried.connection.reset()
    this.#release(carried)
  }

  #advanceLater(carried: Carried): void {
    if (this.#busy.size === 0) setImmediate(() => this.#advanceBusy())
    this.#busy.add(carried)
  }

  #advanceBusy(): void {
    const busy = [...this.#busy]
    this.#busy.clear()
    for (const carried of busy)
      if (this.#bySocket.get(carried.connection.parts.client) === carried) this.#advance(carried)
  }

  /** Lets go of this process's descriptors; the store's stay, for the next one. */
  [Symbol.dispose](): void {
    this.#epoll[Symbol.dispose]()
    for (const carried of new Set(this.#bySocket.values())) carried.connection[Symbol.dispose]()
    this.#bySocket.clear()
    this.#byListener.clear()
    this.#busy.clear()
  }
}

const partName = (listener: string, id: string, part: string): string => `${namePrefix}${listener}/${id}/${part}`

/** The connections whose parts have these names, by listener. */
function connectionsLeft(names: readonly string[]): Map<string, Set<string>> {
  const left = new Map<string, Set<string>>()
  for (const name of names) {
    const [, listener, id] = /^relay\/(.+)\/([^/]+)\/[^/]+$/.exec(name) ?? []
    if (listener === undefined || id === undefined) continue
    left.set(listener, (left.get(listener) ?? new Set()).add(id))
  }
  return left
}
