import { invalid } from '@berth/base'

/** `80`, `80/udp`, `90-92/tcp` as `80/tcp`, ...; throws `invalid` in Docker's words. */
export function parseExposedPorts(words: readonly string[]): string[] {
  return words.flatMap(parseOne)
}

function parseOne(word: string): string[] {
  const [ports = '', protocol = 'tcp'] = word.split('/', 2)
  const lower = protocol.toLowerCase() || 'tcp'
  const m = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(ports)
  const first = Number(m?.[1])
  const last = Number(m?.[2] ?? m?.[1])
  if (!m || last > 65_535 || first > last) throw invalid(`Invalid containerPort: ${ports}`)
  if (!['tcp', 'udp', 'sctp'].includes(lower)) throw invalid(`Invalid proto: ${protocol}`)
  return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${lower}`)
}
