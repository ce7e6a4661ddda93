import { addressOf, declareFunctions } from '../libc.ts'
import { AF_INET6, decodeAddress, decodeSocketAddress, sockaddrBytes } from './socket-address.ts'
import type { SocketAddress } from './socket-address.ts'

const c = declareFunctions<{
  recvmsg(fd: number, message: Uint8Array, flags: number): number
  sendmsg(fd: number, message: Uint8Array, flags: number): number
}>({
  recvmsg: 'long recvmsg(int fd, void *message, int flags)',
  sendmsg: 'long sendmsg(int fd, void *message, int flags)',
})

const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000
const IPPROTO_IP = 0
const IP_PKTINFO = 8
const IPPROTO_IPV6 = 41
const IPV6_PKTINFO = 50
const cmsgHeaderBytes = 16
const controlBytes = 64

/** A datagram, with what is needed to answer it from the address it came to. */
export interface Datagram {
  readonly data: Buffer
  readonly from: SocketAddress
  /** The host's address that it was sent to. */
  readonly to: string
  readonly reply: ReplyAddress
}

/** Opaque: for `sendDatagram`. */
export interface ReplyAddress {
  readonly name: Buffer
  readonly control: Buffer
}

/** Receives datagrams of one socket after the other; not for use in several threads. */
export class DatagramReader {
  readonly #data: Buffer
  readonly #name = Buffer.alloc(sockaddrBytes)
  readonly #control = Buffer.alloc(controlBytes)
  readonly #vector = Buffer.alloc(16)
  readonly #message = Buffer.alloc(56)

  constructor(maxBytes = 65_536) {
    this.#data = Buffer.alloc(maxBytes)
    this.#vector.writeBigUInt64LE(addressOf(this.#data), 0)
    this.#vector.writeBigUInt64LE(BigInt(maxBytes), 8)
  }

  /** The next one, copied; undefined: none waits, or an error of an earlier answer did. */
  receive(fd: number): Datagram | undefined {
    const length = c.recvmsg(fd, this.#header(), MSG_DONTWAIT)
    if (length < 0) return undefined
    const name = Buffer.from(this.#name.subarray(0, this.#message.readUInt32LE(8)))
    const control = Buffer.from(this.#control.subarray(0, Number(this.#message.readBigUInt64LE(40))))
    const from = decodeSocketAddress(Buffer.concat([name, Buffer.alloc(sockaddrBytes - name.length)]))
    const to = destination(control)
    if (to === undefined) return undefined
    return { data: Buffer.from(this.#data.subarray(0, length)), from, to, reply: replyOf(name, control) }
  }

  /** struct msghdr of 64-bit Linux. */
  #header(): Buffer {
    const header = this.#message
    header.fill(0)
    header.writeBigUInt64LE(addressOf(this.#name), 0)
    header.writeUInt32LE(this.#name.length, 8)
    header.writeBigUInt64LE(addressOf(this.#vector), 16)
    header.writeBigUInt64LE(1n, 24)
    header.writeBigUInt64LE(addressOf(this.#control), 32)
    header.writeBigUInt64LE(BigInt(this.#control.length), 40)
    return header
  }
}

/** struct in_pktinfo { ifindex, spec_dst, addr } or in6_pktinfo { addr, ifindex }. */
function destination(control: Buffer): string | undefined {
  if (control.length < cmsgHeaderBytes + 12) return undefined
  const [level, type] = [control.readInt32LE(8), control.readInt32LE(12)]
  if (level === IPPROTO_IP && type === IP_PKTINFO) return decodeAddress(control.subarray(24, 28))
  if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO) return decodeAddress(control.subarray(16, 32))
  return undefined
}

/** What was received says what to send: the local address, and no interface, but for link-local addresses. */
function replyOf(name: Buffer, control: Buffer): ReplyAddress {
  const isLinkLocal = name.readUInt16LE(0) === AF_INET6 && name[8] === 0xfe && ((name[9] ?? 0) & 0xc0) === 0x80
  if (control.readInt32LE(8) === IPPROTO_IPV6 && !isLinkLocal) control.writeUInt32LE(0, 32)
  if (control.readInt32LE(8) === IPPROTO_IP) control.writeUInt32LE(0, 16)
  return { name, control }
}

/** Sends an answer; what the kernel cannot take now is lost, as datagrams may be. */
export function sendDatagram(fd: number, data: Uint8Array, { name, control }: ReplyAddress): void {
  const vector = Buffer.alloc(16)
  vector.writeBigUInt64LE(addressOf(data), 0)
  vector.writeBigUInt64LE(BigInt(data.length), 8)
  const message = Buffer.alloc(56)
  message.writeBigUInt64LE(addressOf(name), 0)
  message.writeUInt32LE(name.length, 8)
  message.writeBigUInt64LE(addressOf(vector), 16)
  message.writeBigUInt64LE(1n, 24)
  message.writeBigUInt64LE(addressOf(control), 32)
  message.writeBigUInt64LE(BigInt(control.length), 40)
  c.sendmsg(fd, message, MSG_DONTWAIT | MSG_NOSIGNAL)
}
