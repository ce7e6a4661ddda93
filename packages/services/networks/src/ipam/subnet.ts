import { isIPv4 } from 'node:net'
import { invalid } from '@berth/base'

/** An IPv4 subnet. Addresses are unsigned 32-bit numbers. */
export interface Subnet {
  readonly base: number
  readonly prefixLength: number
}

export const toNumber = (address: string): number =>
  address.split('.').reduce((value, part) => value * 256 + Number(part), 0)

export const toText = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')

const sizeOf = ({ prefixLength }: Subnet): number => 2 ** (32 - prefixLength)

export const firstAddress = (subnet: Subnet): number => subnet.base + 1
/** The last address that a host may have: before the broadcast address. */
export const lastAddress = (subnet: Subnet): number => subnet.base + sizeOf(subnet) - 2

export const contains = (subnet: Subnet, address: number): boolean =>
  address >= subnet.base && address < subnet.base + sizeOf(subnet)

export const overlaps = (a: Subnet, b: Subnet): boolean => contains(a, b.base) || contains(b, a.base)

export const formatSubnet = (subnet: Subnet): string => `${toText(subnet.base)}/${subnet.prefixLength}`

/** Parses `172.17.0.1/16` into the address and its subnet, which must have room for two hosts. */
export function parseCidr(text: string): { readonly address: number; readonly subnet: Subnet } {
  const [, address = '', prefix = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? []
  const prefixLength = Number(prefix)
  if (!isIPv4(address) || prefix === '' || prefixLength > 30 || prefixLength < 8) {
    throw invalid(`invalid CIDR address: ${text}`)
  }
  const number = toNumber(address)
  return { address: number, subnet: { base: number - (number % 2 ** (32 - prefixLength)), prefixLength } }
}

/** Docker's address pools for local networks: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/20 and on. */
export function* defaultPools(): Generator<Subnet> {
  for (let second = 17; second <= 31; second++) yield { base: toNumber(`172.${second}.0.0`), prefixLength: 16 }
  for (let third = 0; third < 256; third += 16) yield { base: toNumber(`192.168.${third}.0`), prefixLength: 20 }
}

/** The first pool that overlaps nothing of the host; undefined when all do. */
export function chooseSubnet(taken: readonly Subnet[], preferred?: Subnet): Subnet | undefined {
  const isFree = (pool: Subnet) => !taken.some((subnet) => overlaps(subnet, pool))
  if (preferred && isFree(preferred)) return preferred
  return [...defaultPools()].find(isFree)
}
