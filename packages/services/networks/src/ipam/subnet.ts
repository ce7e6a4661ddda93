import { isIPv4, isIPv6 } from 'node:net'
import { formatAddress, parseAddress } from '@berth/linux'

export type Family = 4 | 6

/** A subnet of either family. Addresses are unsigned numbers of 32 or 128 bits. */
export interface Subnet {
  readonly family: Family
  readonly base: bigint
  readonly prefixLength: number
}

export const bitsOf = (family: Family): number => (family === 4 ? 32 : 128)

/** The number that an address text stands for; the text must be an address. */
export function toNumber(address: string): bigint {
  return BigInt(`0x${parseAddress(address).toString('hex')}`)
}

/** The canonical text of an address. */
export function toText(address: bigint, family: Family): string {
  return formatAddress(Buffer.from(address.toString(16).padStart(bitsOf(family) / 4, '0'), 'hex'))
}

export const sizeOf = ({ family, prefixLength }: Subnet): bigint => 1n << BigInt(bitsOf(family) - prefixLength)

export const lastOf = (subnet: Subnet): bigint => subnet.base + sizeOf(subnet) - 1n

export const contains = (subnet: Subnet, address: bigint): boolean =>
  address >= subnet.base && address <= lastOf(subnet)

export const containsSubnet = (outer: Subnet, inner: Subnet): boolean =>
  outer.family === inner.family && contains(outer, inner.base) && inner.prefixLength >= outer.prefixLength

export const overlaps = (a: Subnet, b: Subnet): boolean =>
  a.family === b.family && (contains(a, b.base) || contains(b, a.base))

export const formatSubnet = ({ base, family, prefixLength }: Subnet): string =>
  `${toText(base, family)}/${prefixLength}`

export const isAddress = (text: string): boolean => isIPv4(text) || (isIPv6(text) && !text.includes('%'))

export const familyOf = (address: string): Family => (isIPv4(address) ? 4 : 6)

/** The subnet of that many bits in which an address is. */
export function subnetOf(address: bigint, family: Family, prefixLength: number): Subnet {
  const hostBits = BigInt(bitsOf(family) - prefixLength)
  return { family, base: (address >> hostBits) << hostBits, prefixLength }
}

/** Parses `172.17.0.1/16` into the address and its subnet; undefined for what is no CIDR notation. */
export function parseCidr(text: string): { readonly address: bigint; readonly subnet: Subnet } | undefined {
  const [, address = '', prefix = ''] = /^([\da-fA-F:.]+)\/(\d{1,3})$/.exec(text) ?? []
  if (!isAddress(address)) return undefined
  const family = familyOf(address)
  const prefixLength = Number(prefix)
  if (prefixLength > bitsOf(family)) return undefined
  const number = toNumber(address)
  return { address: number, subnet: subnetOf(number, family, prefixLength) }
}

/** The subnet that a text names which the engine wrote itself. */
export function parseSubnet(text: string): Subnet {
  const parsed = parseCidr(text)
  if (!parsed) throw new Error(`not a subnet: ${text}`)
  return parsed.subnet
}
