import { defineCommand, exactly } from '../../command.ts'
import { commaList, integer, list, string } from '../../flags/flag.ts'
import { splitPair } from '../../options/key-values.ts'
import { checkLink } from '../../options/networks.ts'

export const command = defineCommand({
  usage: '[OPTIONS] NETWORK CONTAINER',
  summary: 'Connect a container to a network',
  count: exactly(2),
  flags: {
    alias: commaList('alias', 'Add network-scoped alias for the container'),
    driverOpt: commaList('driver-opt', 'driver options for the network'),
    gwPriority: integer(
      'gw-priority',
      'Highest gw-priority provides the default gateway. Accepts positive and negative values.',
    ),
    ip: string('ip', 'IPv4 address (e.g., "172.30.100.104")'),
    ip6: string('ip6', 'IPv6 address (e.g., "2001:db8::33")'),
    link: list('link', 'Add link to another container', { check: checkLink }),
    linkLocalIp: commaList('link-local-ip', 'Add a link-local address for the container'),
  },
  async run(cli, { args, flags }) {
    const [network = '', container = ''] = args
    const endpoint = {
      IPAMConfig: {
        ...(flags.ip === '' ? {} : { IPv4Address: flags.ip }),
        ...(flags.ip6 === '' ? {} : { IPv6Address: flags.ip6 }),
        ...(flags.linkLocalIp.length === 0 ? {} : { LinkLocalIPs: [...flags.linkLocalIp] }),
      },
      Links: flags.link.length === 0 ? null : [...flags.link],
      Aliases: flags.alias.length === 0 ? null : [...flags.alias],
      DriverOpts: parseDriverOptions(flags.driverOpt),
      GwPriority: flags.gwPriority,
    }
    await cli.engine.networks.connect(network, container, { endpoint })
  },
})

function parseDriverOptions(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [key, value] = splitPair(text).map((part) => part.trim())
      if (!text.includes('=') || !key) throw new Error('invalid key/value pair format in driver options')
      return [key, value ?? '']
    }),
  )
}
