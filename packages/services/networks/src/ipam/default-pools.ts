import { createHash } from 'node:crypto'
import { invalid } from '@berth/base'
import { bitsOf, type Family, overlaps, parseCidr, type Subnet, subnetOf, toNumber } from './subnet.ts'

/** A range that networks without a subnet of their own get theirs from, each with `size` bits of prefix. */
export interface AddressRange {
  readonly base: Subnet
  readonly size: number
}

/** Docker's pools for local networks: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/20 and on. */
export function builtinPools(): AddressRange[] {
  const v4 = (address: string, prefixLength: number): Subnet => subnetOf(toNumber(address), 4, prefixLength)
  return [
    { base: v4('172.17.0.0', 16), size: 16 },
    { base: v4('172.18.0.0', 16), size: 16 },
    { base: v4('172.19.0.0', 16), size: 16 },
    { base: v4('172.20.0.0', 14), size: 16 },
    { base: v4('172.24.0.0', 14), size: 16 },
    { base: v4('172.28.0.0', 14), size: 16 },
    { base: v4('192.168.0.0', 16), size: 20 },
  ]
}

/** The unique local range of this machine (RFC 4193): the same after a restart, and hardly ever another machine's. */
export function uniqueLocalPool(machineId: string): AddressRange {
  const hash = createHash('sha256').update(machineId).digest('hex')
  const base = BigInt(`0xfd${hash.slice(0, 10)}`) << 80n
  return { base: { family: 6, base, prefixLength: 48 }, size: 64 }
}

/** A configured pool. Throws `invalid` in Docker's words. */
export function buildAddressRange(cidr: string, size: number): AddressRange {
  const base = parseCidr(cidr)?.subnet
  if (!base) throw invalid(`invalid base pool "${cidr}": invalid CIDR address: ${cidr}`)
  if (!Number.isInteger(size) || size < base.prefixLength || size > bitsOf(base.family)) {
    throw invalid(
      `invalid pool size ${size} for base pool ${cidr}: want ${base.prefixLength} to ${bitsOf(base.family)}`,
    )
  }
  return { base, size }
}

/**
 * The first subnet of the pools that overlaps nothing of `taken`; undefined when all do. Leaps over what is taken, so that
 * pools of any size cost no more than what is taken from them.
 */
export function chooseSubnet(
  pools: readonly AddressRange[],
  family: Family,
  taken: readonly Subnet[],
): Subnet | undefined {
  for (const { base, size } of pools.filter((pool) => pool.base.family === family)) {
    const step = 1n << BigInt(bitsOf(family) - size)
    const end = base.base + (1n << BigInt(bitsOf(family) - base.prefixLength))
    for (let at = base.base; at < end;) {
      const candidate: Subnet = { family, base: at, prefixLength: size }
      const obstacle = taken.find((subnet) => overlaps(subnet, candidate))
      if (!obstacle) return candidate
      const after = obstacle.base + (1n << BigInt(bitsOf(family) - obstacle.prefixLength))
      at += after > at + step ? ((after - at + step - 1n) / step) * step : step
    }
  }
  return undefined
}
