import { closeSync } from 'node:fs'
import { check, declareFunctions } from '../libc.ts'
import { pollFd } from './descriptors.ts'

const c = declareFunctions<{
  epoll_create1(flags: number): number
  epoll_ctl(epoll: number, operation: number, fd: number, event: Uint8Array): number
  epoll_wait(epoll: number, events: Uint8Array, count: number, timeoutMs: number): number
}>({
  epoll_create1: 'int epoll_create1(int flags)',
  epoll_ctl: 'int epoll_ctl(int epoll, int operation, int fd, void *event)',
  epoll_wait: 'int epoll_wait(int epoll, void *events, int count, int timeoutMs)',
})

const EPOLL_CLOEXEC = 0o2000000
const EPOLL_CTL_ADD = 1
const EPOLL_CTL_DEL = 2
const EPOLLIN = 1
const EPOLLOUT = 4
const EPOLLERR = 8
const EPOLLRDHUP = 0x2000
const EPOLLET = 0x8000_0000
// struct epoll_event is packed on x86-64 alone.
const isPacked = process.arch === 'x64'
const eventBytes = isPacked ? 12 : 16
const dataOffset = isPacked ? 4 : 8
const eventsPerWait = 64

/** Watches any number of descriptors for the price of one of the event loop's. Disposing closes none of them. */
export class Epoll implements Disposable {
  readonly #fd = check(c.epoll_create1(EPOLL_CLOEXEC), 'epoll_create1')
  readonly #events = Buffer.alloc(eventBytes * eventsPerWait)
  readonly #poll
  #isClosed = false

  /** `hasFailed`: the descriptor has an error pending. */
  constructor(ready: (fd: number, hasFailed: boolean) => void) {
    this.#poll = pollFd(this.#fd, { readable: true }, () => {
      for (const { fd, hasFailed } of this.#wait()) ready(fd, hasFailed)
    })
    this.#poll.unref()
  }

  /** Tells, level-triggered, when it can be read or accepted from. */
  add(fd: number): void {
    this.#control(EPOLL_CTL_ADD, fd, EPOLLIN)
  }

  /** Tells, edge-triggered, when more can be read or written than before, and of its end. */
  addEdges(fd: number): void {
    this.#control(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)
  }

  /** Before the descriptor is closed: copies of it elsewhere keep it watched otherwise. */
  remove(fd: number): void {
    this.#control(EPOLL_CTL_DEL, fd, 0)
  }

  #control(operation: number, fd: number, events: number): void {
    const bytes = Buffer.alloc(eventBytes)
    bytes.writeUInt32LE(events >>> 0, 0)
    bytes.writeInt32LE(fd, dataOffset)
    check(c.epoll_ctl(this.#fd, operation, fd, bytes), 'epoll_ctl')
  }

  #wait(): { readonly fd: number; readonly hasFailed: boolean }[] {
    const count = Math.max(0, c.epoll_wait(this.#fd, this.#events, eventsPerWait, 0))
    return Array.from({ length: count }, (_, index) => ({
      fd: this.#events.readInt32LE(index * eventBytes + dataOffset),
      hasFailed: (this.#events.readUInt32LE(index * eventBytes) & EPOLLERR) !== 0,
    }))
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#poll.close()
    closeSync(this.#fd)
  }
}
