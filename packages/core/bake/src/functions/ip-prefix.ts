import { isIPv4, isIPv6 } from 'node:net'

/** A network: its first address as a number, the prefix's length, and how many bits an address has. */
export interface Prefix {
  readonly base: bigint
  readonly length: number
  readonly bits: 32 | 128
}

export function parsePrefix(text: string): Prefix | undefined {
  const [address, size, ...rest] = text.split('/')
  if (address === undefined || size === undefined || rest.length > 0 || !/^\d{1,3}$/.test(size)) return undefined
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : undefined
  const length = Number(size)
  if (bits === undefined || length > bits) return undefined
  const value = bits === 32 ? parseFour(address) : parseSix(address)
  const host = BigInt(bits - length)
  return { base: (value >> host) << host, length, bits }
}

const parseFour = (address: string): bigint =>
  address.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n)

function parseSix(address: string): bigint {
  const [head, tail] = address.split('::').map((half) => (half === '' ? [] : half.split(':').flatMap(expandFour)))
  const missing = tail === undefined ? 0 : 8 - head!.length - tail.length
  const groups = [...head!, ...Array.from({ length: missing }, () => '0'), ...(tail ?? [])]
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}

/** `1.2.3.4` at the end of an IPv6 address is two groups. */
function expandFour(group: string): string[] {
  if (!group.includes('.')) return [group]
  const value = parseFour(group)
  return [(value >> 16n).toString(16), (value & 0xff_ffn).toString(16)]
}

export function formatAddress(value: bigint, bits: 32 | 128): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join('.')
  const groups = Array.from({ length: 8 }, (_, at) => ((value >> BigInt(112 - 16 * at)) & 0xff_ffn).toString(16))
  const zeros = [...groups.join(':').matchAll(/(?<![^:])0(?::0)+(?![^:])/g)].toSorted(
    (a, b) => b[0].length - a[0].length,
  )[0]
  if (zeros === undefined) return groups.join(':')
  const text = groups.join(':')
  const before = text.slice(0, zeros.index).replace(/:$/, '')
  const after = text.slice(zeros.index + zeros[0].length).replace(/^:/, '')
  return `${before}::${after}`
}
