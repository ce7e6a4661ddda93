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

  /** `ready` is called, level-triggered, with each descriptor that can be read or accepted from. */
  constructor(ready: (fd: number) => void) {
    this.#poll = pollFd(this.#fd, { readable: true }, () => {
      for (const fd of this.#wait()) ready(fd)
    })
    this.#poll.unref()
  }

  add(fd: number): void {
    check(c.epoll_ctl(this.#fd, EPOLL_CTL_ADD, fd, event(fd)), 'epoll_ctl')
  }

  /** Before the descriptor is closed: copies of it elsewhere keep it watched otherwise. */
  remove(fd: number): void {
    check(c.epoll_ctl(this.#fd, EPOLL_CTL_DEL, fd, event(fd)), 'epoll_ctl')
  }

  #wait(): number[] {
    const count = Math.max(0, c.epoll_wait(this.#fd, this.#events, eventsPerWait, 0))
    return Array.from({ length: count }, (_, index) => this.#events.readInt32LE(index * eventBytes + dataOffset))
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#poll.close()
    closeSync(this.#fd)
  }
}

function event(fd: number): Buffer {
  const bytes = Buffer.alloc(eventBytes)
  bytes.writeUInt32LE(EPOLLIN, 0)
  bytes.writeInt32LE(fd, dataOffset)
  return bytes
}
