import { closeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf, type DescriptorStore, type Logger, messageOf } from '@berth/base'
import {
  connectDescriptors,
  duplicate,
  pipe,
  pollFd,
  receiveDescriptors,
  sendDescriptors,
  waitReadable,
  waitWritable,
} from '@berth/linux'
import { decodeDescriptorAnswer, type DescriptorRequest, encodeDescriptorMessage } from '../protocol/descriptors.ts'

export interface OpenDescriptorStoreOptions {
  readonly runRoot: string
  readonly logger: Logger
}

/** The supervisor's store of descriptors. */
export interface SupervisorDescriptors extends DescriptorStore, Disposable {
  /** Forgets what earlier processes put and nobody has taken. */
  dropUntaken(): void
}

export const descriptorSocket = (runRoot: string): string => `${runRoot}/descriptors.sock`

const retryMs = 100
const lostMessage = 'a socket would not outlive a restart'

/** Connects to the supervisor of the run root, and receives what earlier processes of this engine left with it. */
export async function openDescriptorStore(options: OpenDescriptorStoreOptions): Promise<SupervisorDescriptors> {
  const store = new Store(options)
  await store.open()
  return store
}

interface Connection {
  readonly fd: number
  /** Ends what waits for it. */
  readonly closing: AbortController
  readonly poll: Disposable
}

interface Queued {
  readonly request: DescriptorRequest
  /** A copy: the original may be closed by the time that this is sent. */
  readonly fd: number | undefined
}

class Store implements SupervisorDescriptors {
  readonly #options: OpenDescriptorStoreOptions
  /** From earlier processes, and not taken. */
  readonly #left = new Map<string, number>()
  /** What is in the store, by this process's descriptors: a new supervisor gets them again. */
  readonly #kept = new Map<string, number>()
  #queue: Queued[] = []
  #connection: Connection | undefined
  #isFlushing = false
  #isClosed = false
  #nextSettled = 0

  constructor(options: OpenDescriptorStoreOptions) {
    this.#options = options
  }

  async open(): Promise<void> {
    const connection = this.#connect()
    if (connection === undefined) return this.#reconnectLater()
    sendDescriptors(connection, encodeDescriptorMessage({ op: 'list' }), [])
    while (!this.#receiveLeft(connection)) await waitReadable(connection)
    this.#watch(connection)
  }

  put(name: string, fd: number): void {
    this.#kept.set(name, fd)
    try {
      this.#send({ op: 'put', name }, fd)
    } catch (error) {
      this.#options.logger.warn({ error: messageOf(error), name }, lostMessage)
    }
  }

  left(): readonly string[] {
    return [...this.#left.keys()]
  }

  take(name: string): number | undefined {
    const fd = this.#left.get(name)
    this.#left.delete(name)
    if (fd !== undefined) this.#kept.set(name, fd)
    return fd
  }

  drop(name: string): void {
    this.#kept.delete(name)
    this.#send({ op: 'drop', name })
  }

  /** The supervisor does one after the other: when it has closed a pipe's end, it has closed what was dropped before. */
  async settle(signal?: AbortSignal): Promise<void> {
    if (this.#connection === undefined) return
    const [readEnd, writeEnd] = pipe()
    try {
      this.#sendOnce(`settled/${this.#nextSettled++}`, writeEnd)
      await waitReadable(readEnd, signal)
    } finally {
      closeSync(readEnd)
    }
  }

  /** Has the supervisor close a descriptor, which is this object's. */
  #sendOnce(name: string, fd: number): void {
    try {
      this.#send({ op: 'put', name }, fd)
      this.#send({ op: 'drop', name })
    } finally {
      closeSync(fd)
    }
  }

  dropUntaken(): void {
    for (const [name, fd] of this.#left) {
      closeSync(fd)
      this.drop(name)
    }
    this.#left.clear()
  }

  #connect(): number | undefined {
    try {
      return connectDescriptors(descriptorSocket(this.#options.runRoot))
    } catch (error) {
      // A supervisor of before there was a store, or one that is being replaced.
      if (!['ENOENT', 'ECONNREFUSED', 'EAGAIN'].includes(codeOf(error) ?? '')) throw error
      return undefined
    }
  }

  /** Takes what has come; true: that was all. */
  #receiveLeft(connection: number): boolean {
    for (;;) {
      const packet = receiveDescriptors(connection)
      if (packet === undefined) return false
      if (packet === 'end') return true
      const answer = decodeDescriptorAnswer(packet.data)
      const [fd] = packet.fds
      if (!answer || 'end' in answer) return true
      if (fd !== undefined) this.#left.set(answer.name, fd)
    }
  }

  #watch(fd: number): void {
    const poll = pollFd(fd, { readable: true }, () => {
      if (receiveDescriptors(fd) !== 'end') return
      this.#disconnect()
      this.#reconnectLater()
    })
    poll.unref()
    this.#connection = { fd, poll, closing: new AbortController() }
  }

  #disconnect(): void {
    const connection = this.#connection
    this.#connection = undefined
    for (const { fd } of this.#queue) if (fd !== undefined) closeSync(fd)
    this.#queue = []
    if (!connection) return
    connection.closing.abort()
    connection.poll[Symbol.dispose]()
    closeSync(connection.fd)
  }

  /** What was kept is put again: the next supervisor has nothing. */
  #reconnectLater(): void {
    setTimeout(() => {
      if (this.#isClosed || this.#connection !== undefined) return
      const connection = this.#connect()
      if (connection === undefined) return this.#reconnectLater()
      this.#watch(connection)
      for (const [name, fd] of this.#kept) this.put(name, fd)
    }, retryMs).unref()
  }

  /** Throws when it has to wait and there is no descriptor left for its copy. */
  #send(request: DescriptorRequest, fd?: number): void {
    if (this.#connection === undefined) return
    if (this.#queue.length === 0 && this.#trySend({ request, fd })) return
    this.#queue.push({ request, fd: fd === undefined ? undefined : duplicate(fd) })
    if (!this.#isFlushing) void this.#flush()
  }

  /** False: the supervisor has to read first. */
  #trySend({ request, fd }: Queued): boolean {
    if (this.#connection === undefined) return true
    try {
      return sendDescriptors(this.#connection.fd, encodeDescriptorMessage(request), fd === undefined ? [] : [fd])
    } catch (error) {
      this.#options.logger.warn({ error: messageOf(error), ...request }, lostMessage)
      return true
    }
  }

  /** Owned by this object; never throws. */
  async #flush(): Promise<void> {
    this.#isFlushing = true
    while (this.#queue.length > 0 && this.#connection !== undefined) {
      const { fd, closing } = this.#connection
      // Rejects when the connection ends, with which the queue does, or where there are no descriptors for a while.
      await waitWritable(fd, closing.signal).catch(() => delay(retryMs, undefined, { ref: false }))
      for (let next = this.#queue[0]; next && this.#trySend(next); next = this.#queue[0]) {
        this.#queue.shift()
        if (next.fd !== undefined) closeSync(next.fd)
      }
    }
    this.#isFlushing = false
  }

  [Symbol.dispose](): void {
    this.#isClosed = true
    this.#disconnect()
    for (const fd of this.#left.values()) closeSync(fd)
    this.#left.clear()
  }
}
