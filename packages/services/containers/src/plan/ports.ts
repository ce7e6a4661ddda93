import { invalid } from '@berth/base'
import type { HostConfig, PortMap } from '@berth/engine-api'
import { isIP } from 'node:net'

const protocols = ['tcp', 'udp', 'sctp']

/** `80`, `80/tcp`, and for exposed ports also `80-90/tcp`. Throws `invalid` in Docker's words. */
export function validateExposedPorts(ports: Readonly<Record<string, unknown>> | undefined): void {
  for (const port of Object.keys(ports ?? {})) {
    const { numbers } = splitPort(port)
    if (!isRange(numbers)) throw badPort(numbers)
  }
}

export function validatePortBindings(bindings: PortMap | null): void {
  for (const [port, hosts] of Object.entries(bindings ?? {})) {
    const { numbers } = splitPort(port)
    if (!isNumber(numbers)) throw badPort(numbers)
    for (const { HostIp, HostPort } of hosts ?? []) {
      if (HostPort !== '' && !isRange(HostPort)) throw badPort(HostPort)
      if (HostIp !== '' && isIP(HostIp) === 0) throw invalid(`invalid IP address: ${HostIp}`)
    }
  }
}

/** What a start publishes: the bindings that were given and, on request, every other exposed port on a port of the host's choice. */
export function publishedPorts(
  exposed: Readonly<Record<string, unknown>> | undefined,
  { PortBindings, PublishAllPorts }: Pick<HostConfig, 'PortBindings' | 'PublishAllPorts'>,
): PortMap {
  if (!PublishAllPorts) return PortBindings
  const anyPort = [{ HostIp: '', HostPort: '' }]
  const ports = Object.keys(exposed ?? {}).flatMap(portsOf)
  const unbound = ports.filter((port) => !PortBindings[port]?.length)
  return { ...PortBindings, ...Object.fromEntries(unbound.map((port) => [port, anyPort])) }
}

/** `80-82/udp` as `80/udp`, `81/udp` and `82/udp`. */
function portsOf(exposed: string): string[] {
  const [numbers = '', protocol = 'tcp'] = exposed.split('/')
  const [first, last = first] = numbers.split('-').map(Number) as [number, number?]
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol.toLowerCase()}`)
}

function splitPort(port: string): { readonly numbers: string } {
  const [numbers = '', protocol = 'tcp', ...rest] = port.split('/')
  if (rest.length > 0 || !protocols.includes(protocol.toLowerCase())) {
    throw invalid(`invalid port specification: ${JSON.stringify(port)}: invalid protocol`)
  }
  return { numbers }
}

const isNumber = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) <= 65535

function isRange(text: string): boolean {
  const [first = '', last = first, ...rest] = text.split('-')
  return rest.length === 0 && isNumber(first) && isNumber(last) && Number(first) <= Number(last)
}

const badPort = (text: string) => invalid(`invalid port specification: ${JSON.stringify(text)}`)
