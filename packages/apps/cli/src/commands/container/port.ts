import { isIPv6 } from 'node:net'
import type { PortBinding } from '@berth/engine-api'
import { between, defineCommand } from '../../command.ts'
import { StatusError } from '../../errors.ts'

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

function listAll(ports: Ports): string {
  const lines = Object.entries(ports ?? {}).flatMap(([port, bindings]) => {
    return (bindings ?? []).map((binding) => ({ port, text: `${port} -> ${hostAddress(binding)}\n` }))
  })
  return lines
    .toSorted(
      (a, b) =>
        Number.parseInt(a.port, 10) - Number.parseInt(b.port, 10) || (a.port < b.port ? -1 : a.port > b.port ? 1 : 0),
    )
    .map(({ text }) => text)
    .join('')
}

function listOne(ports: Ports, wanted: string, container: string): string {
  const [number = '', protocol = 'tcp'] = wanted.split('/')
  if (!/^\d+$/.test(number) || Number(number) > 65535) {
    const problem = /^\d+$/.test(number) ? 'value out of range' : 'invalid syntax'
    const reason = `strconv.ParseUint: parsing ${JSON.stringify(number)}: ${problem}`
    throw new StatusError(1, `Error: invalid port (${number}): ${reason}`)
  }
  const bindings = ports?.[`${number}/${protocol}`] ?? []
  if (bindings.length === 0) throw new StatusError(1, `Error: No public port '${wanted}' published for ${container}`)
  return bindings.map((binding) => `${hostAddress(binding)}\n`).join('')
}

function hostAddress({ HostIp, HostPort }: PortBinding): string {
  return `${isIPv6(HostIp) ? `[${HostIp}]` : HostIp}:${HostPort}`
}
