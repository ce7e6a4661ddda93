import { closeSync } from 'node:fs'
import { codeOf } from '@berth/base'
import { isIPv4 } from 'node:net'
import { check, declareFunctions, EINPROGRESS, errno, lastError } from '../libc.ts'
import { AF_INET, AF_INET6, decodeSocketAddress, encodeSocketAddress, sockaddrBytes } from './socket-address.ts'
import type { SocketAddress } from './socket-address.ts'

const c = declareFunctions<{
  socket(domain: number, type: number, protocol: number): number
  bind(fd: number, address: Uint8Array, length: number): number
  listen(fd: number, backlog: number): number
  connect(fd: number, address: Uint8Array, length: number): number
  accept4(fd: number, address: null, length: null, flags: number): number
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number
}>({
  socket: 'int socket(int domain, int type, int protocol)',
  bind: 'int bind(int fd, void *address, uint length)',
  listen: 'int listen(int fd, int backlog)',
  connect: 'int connect(int fd, void *address, uint length)',
  accept4: 'int accept4(int fd, void *address, void *length, int flags)',
  setsockopt: 'int setsockopt(int fd, int level, int option, void *value, uint length)',
  getsockname: 'int getsockname(int fd, void *address, void *length)',
})

const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const IPPROTO_SCTP = 132
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_RCVBUFFORCE = 33
const IPPROTO_IP = 0
const IP_PKTINFO = 8
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
const IPV6_RECVPKTINFO = 49
const backlog = 1024

export type SocketProtocol = 'tcp' | 'udp' | 'sctp'

export interface ListenOptions extends SocketAddress {
  readonly protocol: SocketProtocol
  /** On `::`: serve IPv4 too. */
  readonly bothFamilies?: boolean
  /** How much may wait to be read; default the kernel's. */
  readonly receiveBufferBytes?: number
}

/** A socket of the host, or of the namespace that the thread is in: non-blocking, closed on exec. */
export interface BoundSocket {
  readonly fd: number
  readonly port: number
}

/**
 * Binds an address, and listens where the protocol has connections. `port` 0 lets the kernel choose. Datagram sockets tell
 * to which address a datagram came. Throws EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT (no IPv6), EPROTONOSUPPORT (no SCTP).
 */
export function listenSocket(options: ListenOptions): BoundSocket {
  const { protocol, address, port } = options
  const what = `${address}:${port}/${protocol}`
  const fd = openSocket(protocol, address, what)
  try {
    configure(fd, options)
    const bytes = encodeSocketAddress(options)
    check(c.bind(fd, bytes, bytes.length), 'bind', what)
    if (protocol !== 'udp') check(c.listen(fd, backlog), 'listen', what)
    return { fd, port: port === 0 ? localAddress(fd).port : port }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function openSocket(protocol: SocketProtocol, address: string, what: string): number {
  const type = (protocol === 'udp' ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK
  const family = isIPv4(address) ? AF_INET : AF_INET6
  return check(c.socket(family, type, protocol === 'sctp' ? IPPROTO_SCTP : 0), 'socket', what)
}

function configure(fd: number, { protocol, address, bothFamilies, receiveBufferBytes }: ListenOptions): void {
  const isV6 = !isIPv4(address)
  // Else connections in TIME_WAIT keep the port; two listeners exclude each other all the same. Not for UDP, where it shares.
  if (protocol === 'tcp') setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1)
  if (isV6) check(setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, bothFamilies ? 0 : 1), 'setsockopt')
  if (protocol === 'udp' && isV6) setOption(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
  if (protocol === 'udp' && !isV6) setOption(fd, IPPROTO_IP, IP_PKTINFO, 1)
  if (receiveBufferBytes !== undefined) setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, receiveBufferBytes)
}

function setOption(fd: number, level: number, option: number, value: number): number {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return c.setsockopt(fd, level, option, bytes, 4)
}

/** The address that a socket is bound to; of an accepted connection the one that the peer asked for. */
export function localAddress(fd: number): SocketAddress {
  const address = Buffer.alloc(sockaddrBytes)
  check(c.getsockname(fd, address, Buffer.from([address.length, 0, 0, 0])), 'getsockname')
  return decodeSocketAddress(address)
}

const loopbackV6 = encodeSocketAddress({ address: '::1', port: 0 })

/** Whether a socket can be bound to ::1 in the namespace that the thread is in: not where IPv6 is lacking or turned off. */
export function hasLoopbackV6(): boolean {
  const fd = c.socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)
  if (fd < 0) return false
  const result = c.bind(fd, loopbackV6, loopbackV6.length)
  closeSync(fd)
  return result === 0
}

/** A connection that waits to be accepted; undefined: none does. */
export function acceptSocket(fd: number): number | undefined {
  try {
    return check(c.accept4(fd, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK), 'accept4')
  } catch (error) {
    // Whoever wanted to connect is gone, or the kernel says a pending error of his.
    if (['EAGAIN', 'ECONNABORTED', 'EPROTO', 'ENETDOWN'].includes(codeOf(error) ?? '')) return undefined
    throw error
  }
}

/** A socket on its way to `target`, from the namespace that the thread is in; the connection is made in the background. */
export function connectSocket(protocol: 'tcp' | 'udp', target: SocketAddress): number {
  const what = `${target.address}:${target.port}/${protocol}`
  const fd = openSocket(protocol, target.address, what)
  try {
    const bytes = encodeSocketAddress(target)
    startConnect(fd, bytes, what)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function startConnect(fd: number, address: Buffer, what: string): void {
  const result = c.connect(fd, address, address.length)
  if (result < 0 && errno() !== EINPROGRESS) throw lastError('connect', what)
}
