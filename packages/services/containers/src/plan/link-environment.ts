/** What a container is told of one that it is linked to. */
export interface LinkedTarget {
  readonly alias: string
  /** Of the container that has the link. */
  readonly owner: string
  readonly address: string
  /** `80/tcp`, `8000-8010/udp`. */
  readonly exposedPorts: readonly string[]
  readonly env: readonly string[]
}

export interface LinkedPortNumber {
  readonly port: number
  readonly protocol: string
}

/** Every exposed port by its own, in order: TCP first, then the other protocols. */
export function linkedPorts(exposedPorts: readonly string[]): LinkedPortNumber[] {
  const ports = exposedPorts.flatMap((exposed) => {
    const [numbers = '', protocol = 'tcp'] = exposed.toLowerCase().split('/')
    const [first = 0, last = first] = numbers.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => ({ port: first + index, protocol }))
  })
  const rank = ({ protocol }: LinkedPortNumber) => (protocol === 'tcp' ? '' : protocol)
  return ports.toSorted((a, b) => compare(rank(a), rank(b)) || a.port - b.port)
}

/** The environment variables of a link, byte for byte Docker's. */
export function linkEnvironment({ alias, owner, address, exposedPorts, env }: LinkedTarget): string[] {
  const prefix = alias.toUpperCase().replaceAll('-', '_')
  const ports = linkedPorts(exposedPorts)
  const [first] = ports
  const key = ({ port, protocol }: LinkedPortNumber) => `${prefix}_PORT_${port}_${protocol.toUpperCase()}`
  const url = ({ port, protocol }: LinkedPortNumber) => `${protocol}://${address}:${port}`
  return [
    ...(first ? [`${prefix}_PORT=${url(first)}`] : []),
    ...ports.flatMap((port, index) => [
      `${key(port)}=${url(port)}`,
      `${key(port)}_ADDR=${address}`,
      `${key(port)}_PORT=${port.port}`,
      `${key(port)}_PROTO=${port.protocol}`,
      ...rangeTold(ports, index).flatMap(([start, end]) => [
        `${key(start)}_START=${url(start)}`,
        `${key(start)}_PORT_START=${start.port}`,
        `${key(start)}_END=${url(end)}`,
        `${key(start)}_PORT_END=${end.port}`,
      ]),
    ]),
    `${prefix}_NAME=/${owner}/${alias}`,
    ...env.filter((entry) => !/^(HOME|PATH)=/.test(entry)).map((entry) => `${prefix}_ENV_${entry}`),
  ]
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const follows = (port: LinkedPortNumber | undefined, before: LinkedPortNumber | undefined): boolean =>
  port !== undefined && port.protocol === before?.protocol && port.port === before.port + 1

/** Docker tells of neighbours when it comes to the port after them, or to the end: of none or one range, first and last. */
function rangeTold(ports: readonly LinkedPortNumber[], index: number): [LinkedPortNumber, LinkedPortNumber][] {
  const joins = follows(ports[index], ports[index - 1])
  if (joins && index < ports.length - 1) return []
  const last = joins ? index : index - 1
  let first = last
  while (follows(ports[first], ports[first - 1])) first--
  const [start, end] = [ports[first], ports[last]]
  return start && end && first < last ? [[start, end]] : []
}
