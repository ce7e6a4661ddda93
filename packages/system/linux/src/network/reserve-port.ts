import { closeSync } from 'node:fs'
import { parseAddress } from '../netlink/ip-address.ts'
import { check, declareFunctions } from '../libc.ts'

const c = declareFunctions<{
  socket(domain: number, type: number, protocol: number): number
  bind(fd: number, address: Uint8Array, length: number): number
  listen(fd: number, backlog: number): number
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number
}>({
  socket: 'int socket(int domain, int type, int protocol)',
  bind: 'int bind(int fd, void *address, uint length)',
  listen: 'int listen(int fd, int backlog)',
  setsockopt: 'int setsockopt(int fd, int level, int option, void *value, uint length)',
  getsockname: 'int getsockname(int fd, void *address, void *length)',
})

const AF_INET = 2
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SO_REUSEADDR = 2

export interface PortReservation extends Disposable {
  readonly port: number
}

/**
 * Takes a port of the host, so that no other process gets it, until disposed. `port` 0 lets the kernel choose. Throws
 * EADDRINUSE when it is taken, EADDRNOTAVAIL when the host does not have the address. IPv4 only.
 */
export function reservePort(protocol: 'tcp' | 'udp', address: string, port: number): PortReservation {
  const what = `${address}:${port}/${protocol}`
  const type = protocol === 'tcp' ? SOCK_STREAM : SOCK_DGRAM
  const fd = check(c.socket(AF_INET, type | SOCK_CLOEXEC, 0), 'socket', what)
  try {
    // Else connections in TIME_WAIT keep the port; two listeners exclude each other all the same. Not for UDP, where it shares.
    if (protocol === 'tcp') c.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, Buffer.from([1, 0, 0, 0]), 4)
    check(c.bind(fd, socketAddress(address, port), 16), 'bind', what)
    if (protocol === 'tcp') check(c.listen(fd, 1), 'listen', what)
    return { port: boundPort(fd), [Symbol.dispose]: () => closeSync(fd) }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** struct sockaddr_in */
function socketAddress(address: string, port: number): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt16LE(AF_INET, 0)
  bytes.writeUInt16BE(port, 2)
  parseAddress(address).copy(bytes, 4)
  return bytes
}

function boundPort(fd: number): number {
  const address = Buffer.alloc(16)
  check(c.getsockname(fd, address, Buffer.from([16, 0, 0, 0])), 'getsockname')
  return address.readUInt16BE(2)
}
