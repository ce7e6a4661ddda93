import { check, declareFunctions } from '../libc.ts'
import type { SocketAddress } from './socket-address.ts'
import { localAddress } from './sockets.ts'

const c = declareFunctions<{
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, length: Uint8Array): number
}>({ getsockopt: 'int getsockopt(int fd, int level, int option, void *value, void *length)' })

const SOL_SOCKET = 1
const SO_TYPE = 3
const SO_ACCEPTCONN = 30
const SO_DOMAIN = 39
const SOCK_STREAM = 1
const AF_UNIX = 1

/** What a socket that another process has opened listens on: an address of IP, or a file. */
export type Listener = { readonly kind: 'unix' } | ({ readonly kind: 'tcp' } & SocketAddress)

/** Undefined for a descriptor that is closed, no socket, of datagrams, or that does not listen. */
export function describeListener(fd: number): Listener | undefined {
  try {
    if (optionOf(fd, SO_ACCEPTCONN) !== 1 || optionOf(fd, SO_TYPE) !== SOCK_STREAM) return undefined
    return optionOf(fd, SO_DOMAIN) === AF_UNIX ? { kind: 'unix' } : { kind: 'tcp', ...localAddress(fd) }
  } catch {
    return undefined
  }
}

function optionOf(fd: number, option: number): number {
  const value = Buffer.alloc(4)
  check(c.getsockopt(fd, SOL_SOCKET, option, value, Buffer.from([value.length, 0, 0, 0])), 'getsockopt')
  return value.readInt32LE()
}
