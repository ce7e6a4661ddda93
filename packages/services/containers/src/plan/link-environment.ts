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

/** Every exposed port by its own, in order; TCP before others of the same number. */
export function linkedPorts(exposedPorts: readonly string[]): LinkedPortNumber[] {
  const ports = exposedPorts.flatMap((exposed) => {
    const [numbers = '', protocol = 'tcp'] = exposed.toLowerCase().split('/')
    const [first = 0, last = first] = numbers.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => ({ port: first + index, protocol }))
  })
  const rank = ({ protocol }: LinkedPortNumber) => (protocol === 'tcp' ? 0 : 1)
  return ports.toSorted((a, b) => a.port - b.port || rank(a) - rank(b))
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
    ...ranges(ports).flatMap(([start, end]) => [
      `${key(start)}_START=${url(start)}`,
      `${key(start)}_ADDR=${address}`,
      `${key(start)}_PROTO=${start.protocol}`,
      `${key(start)}_PORT_START=${start.port}`,
      `${key(start)}_END=${url(end)}`,
      `${key(start)}_PORT_END=${end.port}`,
    ]),
    ...ports.flatMap((port) => [
      `${key(port)}=${url(port)}`,
      `${key(port)}_ADDR=${address}`,
      `${key(port)}_PORT=${port.port}`,
      `${key(port)}_PROTO=${port.protocol}`,
    ]),
    `${prefix}_NAME=/${owner}/${alias}`,
    ...env.filter((entry) => !/^(HOME|PATH)=/.test(entry)).map((entry) => `${prefix}_ENV_${entry}`),
  ]
}

/** Runs of three and more neighbours: Docker leaves a pair alone. */
function ranges(ports: readonly LinkedPortNumber[]): [LinkedPortNumber, LinkedPortNumber][] {
  const found: [LinkedPortNumber, LinkedPortNumber][] = []
  for (let start = 0; start < ports.length;) {
    let end = start
    while (ports[end + 1]?.port === (ports[end]?.port ?? 0) + 1) end++
    const [first, last] = [ports[start], ports[end]]
    if (first && last && end > start + 1) found.push([first, last])
    start = end > start + 1 ? end + 1 : start + 1
  }
  return found
}
