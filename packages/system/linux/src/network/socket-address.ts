import { isIPv4 } from 'node:net'
import { formatAddress, parseAddress } from '../netlink/ip-address.ts'

export const AF_INET = 2
export const AF_INET6 = 10
export const sockaddrBytes = 28

export interface SocketAddress {
  readonly address: string
  readonly port: number
}

/** struct sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)). */
export function encodeSocketAddress({ address, port }: SocketAddress): Buffer {
  const isV4 = isIPv4(address)
  const bytes = Buffer.alloc(isV4 ? 16 : sockaddrBytes)
  bytes.writeUInt16LE(isV4 ? AF_INET : AF_INET6, 0)
  bytes.writeUInt16BE(port, 2)
  parseAddress(address).copy(bytes, isV4 ? 4 : 8)
  return bytes
}

/** An IPv4 address that a socket of both families sees comes back as IPv4. */
export function decodeSocketAddress(bytes: Buffer): SocketAddress {
  const port = bytes.readUInt16BE(2)
  if (bytes.readUInt16LE(0) === AF_INET) return { address: formatAddress(bytes.subarray(4, 8)), port }
  return { address: decodeAddress(bytes.subarray(8, 24)), port }
}

const mapped = Buffer.from('00000000000000000000ffff', 'hex')

export const decodeAddress = (bytes: Buffer): string =>
  formatAddress(bytes.length === 16 && bytes.subarray(0, 12).equals(mapped) ? bytes.subarray(12) : bytes)
