import { isIPv4, isIPv6 } from 'node:net'

/** The bytes of an address, 4 or 16. Throws on anything else. */
export function parseAddress(text: string): Buffer {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number))
  if (!isIPv6(text) || text.includes('%')) throw new Error(`not an IP address: ${text}`)
  return parseIPv6(text)
}

function parseIPv6(text: string): Buffer {
  // An embedded IPv4 address is two groups more.
  const v4 = /[^:]*\.[^:]*$/.exec(text)?.[0]
  const tail = v4 === undefined ? [] : [...parseAddress(v4)]
  const groups = v4 === undefined ? text : text.slice(0, -v4.length).replace(/(?<!:):$/, '')
  const [head = '', rest] = groups.split('::', 2)
  const bytes = (part: string) =>
    part
      .split(':')
      .filter(Boolean)
      .flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255])
  const [left, right] = [bytes(head), [...bytes(rest ?? ''), ...tail]]
  return Buffer.from([...left, ...Array<number>(16 - left.length - right.length).fill(0), ...right])
}

/** 4 bytes in dotted form, 16 as RFC 5952 writes them. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  )
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

/** The six bytes of `02:42:ac:11:00:02`. */
export function parseMac(text: string): Buffer {
  if (!/^[\da-f]{2}([:-][\da-f]{2}){5}$/i.test(text)) throw new Error(`not a MAC address: ${text}`)
  return Buffer.from(text.replace(/[:-]/g, ''), 'hex')
}

export const formatMac = (bytes: ArrayLike<number>): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':')
