import { invalid } from '@berth/base'
import { isIP } from 'node:net'

/**
 * `80`, `80/udp`, `90-92/tcp` as `80/tcp`, ...; of a mapping, `address:host:container`, the container's port. Throws
 * `invalid` in Docker's words.
 */
export function parseExposedPorts(words: readonly string[]): string[] {
  return words.flatMap(parseOne)
}

function parseOne(word: string): string[] {
  const [mapping = '', protocol = 'tcp'] = word.split('/', 2)
  const lower = protocol.toLowerCase() || 'tcp'
  const ports = containerPorts(mapping)
  const m = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(ports)
  const first = Number(m?.[1])
  const last = Number(m?.[2] ?? m?.[1])
  if (!m || last > 65_535 || first > last) throw invalid(`Invalid containerPort: ${ports}`)
  if (!['tcp', 'udp', 'sctp'].includes(lower)) throw invalid(`Invalid proto: ${protocol}`)
  return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${lower}`)
}

function containerPorts(mapping: string): string {
  const [, address, rest = ''] = /^(?:(\[[^\]]*\]|[^:]*):(?=[^:]*:[^:]*$))?(.*)$/.exec(mapping) ?? []
  if (address && isIP(address.replaceAll(/[[\]]/g, '')) === 0) throw invalid(`Invalid ip address: ${address}`)
  return rest.slice(rest.indexOf(':') + 1)
}
