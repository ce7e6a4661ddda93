import { closeSync } from 'node:fs'
import { codeOf } from '@berth/base'
import { LinuxError } from '../error.ts'
import { callAsync, callOnPool, check, declareFunctions, EAGAIN, EINTR, ENODEV, errno, lastError } from '../libc.ts'
import { type Poll, pollFd } from '../process/descriptors.ts'
import { align4, type NetlinkMessage, readAttributes, readText } from './message.ts'

const c = declareFunctions<{
  socket(domain: number, type: number, protocol: number): number
  bind(fd: number, address: Uint8Array, length: number): number
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number
  send(fd: number, buffer: Uint8Array, length: number, flags: number): number
  recv(fd: number, buffer: Uint8Array, length: number, flags: number): number
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number
  ioctl(fd: number, request: number, argument: Uint8Array): number
}>({
  socket: 'int socket(int domain, int type, int protocol)',
  bind: 'int bind(int fd, void *address, uint length)',
  setsockopt: 'int setsockopt(int fd, int level, int option, void *value, uint length)',
  send: 'long send(int fd, void *buffer, size_t length, int flags)',
  recv: 'long recv(int fd, void *buffer, size_t length, int flags)',
  getsockname: 'int getsockname(int fd, void *address, void *length)',
  ioctl: 'int ioctl(int fd, ulong request, void *argument)',
})

export const NETLINK_ROUTE = 0
export const NETLINK_NETFILTER = 12
const AF_NETLINK = 16
const SOCK_RAW = 3
const SOCK_CLOEXEC = 0o2000000
const SOL_NETLINK = 270
const SOL_SOCKET = 1
const SO_RCVBUFFORCE = 33
const NETLINK_ADD_MEMBERSHIP = 1
const NETLINK_CAP_ACK = 10
const NETLINK_EXT_ACK = 11
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const NLM_F_ACK_TLVS = 0x200
const NLMSGERR_ATTR_MSG = 1
const MSG_DONTWAIT = 0x40
const SIOCGIFINDEX = 0x8933
const IFNAMSIZ = 16
const ifreqBytes = 40
const addressBytes = 12
const headerBytes = 16
const announcementBytes = 4 << 20

// One receive buffer per thread: each answer is read completely before anything else runs.
const answer = Buffer.alloc(65536)

/** A message of the kernel: its type and the range of `buffer` after its header. */
export interface Received {
  readonly type: number
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
  /** Who caused it, by the address of its socket; 0: the kernel. */
  readonly portId: number
}

/**
 * A netlink socket, bound to the network namespace that the thread was in when it was made. Requests are answered within
 * the call: the kernel handles a message while it is being sent.
 */
export class NetlinkSocket implements Disposable {
  readonly #fd: number
  readonly #what: string
  /** The end of the last `requestAsync`; undefined: none is under way. */
  #turn: Promise<void> | undefined

  constructor(protocol: number, what: string) {
    this.#what = what
    this.#fd = check(c.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), 'socket', what)
    const address = Buffer.alloc(addressBytes)
    address.writeUInt16LE(AF_NETLINK, 0)
    check(c.bind(this.#fd, address, address.length), 'bind', what)
    const on = Buffer.from([1, 0, 0, 0])
    // Texts of errors; and no copy of the request in each acknowledgement. Older kernels know neither.
    c.setsockopt(this.#fd, SOL_NETLINK, NETLINK_EXT_ACK, on, on.length)
    c.setsockopt(this.#fd, SOL_NETLINK, NETLINK_CAP_ACK, on, on.length)
  }

  /** The address by which the kernel knows this socket. */
  get portId(): number {
    const address = Buffer.alloc(addressBytes)
    check(c.getsockname(this.#fd, address, Buffer.from([addressBytes, 0, 0, 0])), 'getsockname', this.#what)
    return address.readUInt32LE(4)
  }

  /** Sends the messages and waits for every acknowledgement; throws the first refusal, named by `what`. */
  request(message: NetlinkMessage, what: string): void {
    check(c.send(this.#fd, message.bytes, message.bytes.length, 0), 'send', what)
    this.#acknowledge(message.acknowledgements, what)
  }

  /**
   * As `request`, but a libuv pool thread waits for the kernel's locks. Calls take their turn; the first is on its way when
   * this returns. `each` gets what the kernel answers beside acknowledgements, and must copy what it keeps.
   */
  async requestAsync(message: NetlinkMessage, what: string, each?: (received: Received) => void): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#turn
    this.#turn = promise
    if (before) await before
    try {
      await callAsync(c.send, 'send', what, [this.#fd, message.bytes, message.bytes.length, 0])
      this.#acknowledge(message.acknowledgements, what, each)
    } finally {
      if (this.#turn === promise) this.#turn = undefined
      resolve()
    }
  }

  /**
   * Sends one request and calls `each` for every message of the answer; `each` must copy what it keeps. Not while a
   * `requestAsync` is under way on the same socket.
   */
  query(message: NetlinkMessage, what: string, each: (received: Received) => void): void {
    check(c.send(this.#fd, message.bytes, message.bytes.length, 0), 'send', what)
    const state: { ended: boolean; failure?: LinuxError | undefined } = { ended: false }
    const take = (received: Received) => {
      if (received.type === NLMSG_ERROR) state.failure = refusal(received, what)
      state.ended ||= received.type === NLMSG_DONE || received.type === NLMSG_ERROR
      if (!state.ended) each(received)
    }
    while (!state.ended && this.#receive(take));
    if (state.failure) throw state.failure
  }

  /**
   * As `query` for an answer of any length: a libuv pool thread waits for the kernel, for a datagram of it at a time, whose
   * messages are good until the next one is asked for. The socket is for nothing else meanwhile.
   */
  async *parts(message: NetlinkMessage, what: string): AsyncGenerator<Received[]> {
    const buffer = Buffer.alloc(answer.length)
    await callAsync(c.send, 'send', what, [this.#fd, message.bytes, message.bytes.length, 0])
    for (;;) {
      const length = await callOnPool(c.recv, [this.#fd, buffer, buffer.length, MSG_DONTWAIT], (result) =>
        result < 0 && errno() === EINTR ? undefined : check(result, 'recv', what),
      )
      if (length === undefined) continue
      const received = readMessages(buffer, length)
      const end = received.findIndex(({ type }) => type === NLMSG_DONE || type === NLMSG_ERROR)
      yield end < 0 ? received : received.slice(0, end)
      const last = received[end]
      const failure = last?.type === NLMSG_ERROR ? refusal(last, what) : undefined
      if (failure) throw failure
      if (last) return
    }
  }

  /** The index of a link of the socket's namespace (netdevice(7)), undefined: there is none of that name. Waits for no lock. */
  linkIndex(name: string): number | undefined {
    const request = Buffer.alloc(ifreqBytes)
    request.write(name, 0, IFNAMSIZ - 1)
    if (c.ioctl(this.#fd, SIOCGIFINDEX, request) === 0) return request.readInt32LE(IFNAMSIZ)
    if (errno() === ENODEV) return undefined
    throw lastError('ioctl SIOCGIFINDEX', name)
  }

  /** Joins a multicast group: from then on `ready` is called whenever there is something to `drain`. */
  subscribe(group: number, ready: () => void): Poll {
    const number = Buffer.alloc(4)
    number.writeUInt32LE(group)
    check(c.setsockopt(this.#fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, number, 4), 'setsockopt', this.#what)
    const size = Buffer.alloc(4)
    size.writeUInt32LE(announcementBytes)
    // Beyond the host's limit only with the right to it.
    c.setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUFFORCE, size, 4)
    return pollFd(this.#fd, { readable: true }, ready)
  }

  /** Hands what a group has announced to `each`; false when some of it was lost (ENOBUFS). */
  drain(each: (received: Received) => void): boolean {
    try {
      while (this.#receive(each));
      return true
    } catch (error) {
      if (codeOf(error) === 'ENOBUFS') return false
      throw error
    }
  }

  #acknowledge(count: number, what: string, each?: (received: Received) => void): void {
    const answers: (LinuxError | undefined)[] = []
    const collect = (received: Received) => {
      if (received.type === NLMSG_ERROR) answers.push(refusal(received, what))
      else each?.(received)
    }
    while (answers.length < count && this.#receive(collect));
    const failure = answers.find((answer) => answer !== undefined)
    if (failure) throw failure
    if (answers.length < count) throw new Error(`netlink ${what}: ${answers.length} of ${count} acknowledgements`)
  }

  /** Hands one datagram's messages to `each`; false when none is queued. All answers are, when send has returned. */
  #receive(each: (received: Received) => void): boolean {
    let length = c.recv(this.#fd, answer, answer.length, MSG_DONTWAIT)
    while (length < 0 && errno() === EINTR) length = c.recv(this.#fd, answer, answer.length, MSG_DONTWAIT)
    if (length < 0 && errno() === EAGAIN) return false
    check(length, 'recv', this.#what)
    for (const received of readMessages(answer, length)) each(received)
    return true
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }
}

/** The messages of one datagram. */
function readMessages(buffer: Buffer, length: number): Received[] {
  const messages: Received[] = []
  for (let offset = 0; offset + headerBytes <= length;) {
    const size = buffer.readUInt32LE(offset)
    const type = buffer.readUInt16LE(offset + 4)
    const portId = buffer.readUInt32LE(offset + 12)
    messages.push({ type, buffer, start: offset + headerBytes, end: offset + size, portId })
    offset += align4(Math.max(size, headerBytes))
  }
  return messages
}

/** The error that an NLMSG_ERROR carries, with the kernel's text; undefined: it is an acknowledgement. */
function refusal({ buffer, start, end }: Received, what: string): LinuxError | undefined {
  const error = -buffer.readInt32LE(start)
  if (error === 0) return undefined
  const flags = buffer.readUInt16LE(start - headerBytes + 6)
  if (!(flags & NLM_F_ACK_TLVS)) return new LinuxError('netlink', error, { path: what })
  // struct nlmsgerr: the error and, thanks to CAP_ACK, only the header of the request.
  const text = readText(readAttributes(buffer, start + 4 + headerBytes, end).get(NLMSGERR_ATTR_MSG))
  return new LinuxError('netlink', error, { path: what, detail: text })
}
