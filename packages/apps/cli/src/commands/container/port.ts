import { isIPv6 } from 'node:net'
import type { PortBinding } from '@berth/engine-api'
import { between, defineCommand } from '../../command.ts'
import { StatusError } from '../../errors.ts'
import { compareNaturally } from '../../output/natural-order.ts'

export const command = defineCommand({
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  summary: 'List port mappings or a specific mapping for the container',
  aliases: ['container port', 'port'],
  count: between(1, 2),
  flags: {},
  async run(cli, { args }) {
    const [container = '', wanted] = args
    const { Ports } = (await cli.engine.containers.inspect(container)).NetworkSettings
    cli.out(wanted === undefined ? listAll(Ports) : listOne(Ports, wanted, container))
  },
})

type Ports = Record<string, PortBinding[] | null>

/** Every binding: `80/tcp -> 0.0.0.0:8080`. */
export function listAll(ports: Ports): string {
  return inOrder(
    Object.entries(ports ?? {}).flatMap(([port, bindings]) =>
      (bindings ?? []).map((binding) => `${port} -> ${hostAddress(binding)}`),
    ),
  )
}

const inOrder = (lines: readonly string[]): string =>
  lines
    .toSorted(compareNaturally)
    .map((line) => `${line}\n`)
    .join('')

/** Where one port is published. Throws `StatusError` when it is nowhere, or `wanted` is no port. */
export function listOne(ports: Ports, wanted: string, container: string): string {
  const [number = '', protocol = 'tcp'] = wanted.split('/')
  if (!/^\d+$/.test(number) || Number(number) > 65535) {
    const problem = /^\d+$/.test(number) ? 'value out of range' : 'invalid syntax'
    const reason = `strconv.ParseUint: parsing ${JSON.stringify(number)}: ${problem}`
    throw new StatusError(1, `Error: invalid port (${number}): ${reason}`)
  }
  const bindings = ports?.[`${number}/${protocol}`] ?? []
  if (bindings.length === 0) throw new StatusError(1, `Error: No public port '${wanted}' published for ${container}`)
  return inOrder(bindings.map(hostAddress))
}

function hostAddress({ HostIp, HostPort }: PortBinding): string {
  return `${isIPv6(HostIp) ? `[${HostIp}]` : HostIp}:${HostPort}`
}
