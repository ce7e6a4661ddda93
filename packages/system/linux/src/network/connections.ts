import { check, declareFunctions, EAGAIN, errno } from '../libc.ts'
import { sockaddrBytes } from './socket-address.ts'

const c = declareFunctions<{
  connect(fd: number, address: Uint8Array, length: number): number
  getpeername(fd: number, address: Uint8Array, length: Uint8Array): number
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number
  shutdown(fd: number, how: number): number
  splice(from: number, fromOffset: null, to: number, toOffset: null, bytes: number, flags: number): number
}>({
  connect: 'int connect(int fd, void *address, uint length)',
  getpeername: 'int getpeername(int fd, void *address, void *length)',
  setsockopt: 'int setsockopt(int fd, int level, int option, void *value, uint length)',
  shutdown: 'int shutdown(int fd, int how)',
  splice: 'long splice(int from, void *fromOffset, int to, void *toOffset, size_t bytes, uint flags)',
})

const IPPROTO_TCP = 6
const TCP_NODELAY = 1
const SHUT_WR = 1
const SHUT_RDWR = 2
const SPLICE_F_MOVE = 1
const SPLICE_F_NONBLOCK = 2
const on = Buffer.from([1, 0, 0, 0])
/** struct sockaddr of AF_UNSPEC: connect(2) dissolves the association. */
const unspecified = Buffer.alloc(16)

/**
 * Moves up to `maxBytes` from one descriptor to another, of which one is a pipe, without reading them: at each moment they are
 * in one of the two. 0: the end of `from`; undefined: nothing to take, or no room, now. Throws ECONNRESET, EPIPE, ...
 */
export function splice(from: number, to: number, maxBytes: number): number | undefined {
  const moved = c.splice(from, null, to, null, maxBytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK)
  if (moved < 0 && errno() === EAGAIN) return undefined
  return check(moved, 'splice')
}

/** Sends what is written at once, without waiting for more of it. */
export const sendAtOnce = (fd: number): number => c.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, on, 4)

/** False while a connection is being made, and when it has failed. */
export const isConnected = (fd: number): boolean =>
  c.getpeername(fd, Buffer.alloc(sockaddrBytes), Buffer.from([sockaddrBytes, 0, 0, 0])) === 0

// Those below act on the connection, whoever else has a copy of its descriptor; one that is gone already is fine.

/** Tells the peer that nothing more comes. */
export const endWriting = (fd: number): number => c.shutdown(fd, SHUT_WR)

/** Ends both directions. */
export const endConnection = (fd: number): number => c.shutdown(fd, SHUT_RDWR)

/** Ends it by a reset. */
export const resetConnection = (fd: number): number => c.connect(fd, unspecified, unspecified.length)
