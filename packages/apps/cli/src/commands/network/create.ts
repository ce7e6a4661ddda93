import type { NetworkCreateBody } from '@berth/engine-client'
import { defineCommand, exactly } from '../../command.ts'
import { boolean, commaList, list, string } from '../../flags/flag.ts'
import type { Parsed } from '../../flags/parse-flags.ts'
import { checkLabel, keyValues, toRecord } from '../../options/key-values.ts'
import { planSubnets } from './subnets.ts'

const flags = {
  attachable: boolean('attachable', 'Enable manual container attachment'),
  auxAddress: keyValues('aux-address', 'Auxiliary IPv4 or IPv6 addresses used by Network driver (default map[])'),
  configFrom: string('config-from', 'The network from which to copy the configuration'),
  configOnly: boolean('config-only', 'Create a configuration only network'),
  driver: string('d,driver', 'Driver to manage the Network (default "bridge")', 'bridge'),
  gateway: commaList('gateway', 'IPv4 or IPv6 Gateway for the master subnet'),
  ingress: boolean('ingress', 'Create swarm routing-mesh network'),
  internal: boolean('internal', 'Restrict external access to the network'),
  ipRange: commaList('ip-range', 'Allocate container ip from a sub-range'),
  ipamDriver: string('ipam-driver', 'IP Address Management Driver (default "default")', 'default'),
  ipamOpt: keyValues('ipam-opt', 'Set IPAM driver specific options (default map[])'),
  ipv4: boolean('ipv4', 'Enable or disable IPv4 address assignment (default true)', true),
  ipv6: boolean('ipv6', 'Enable or disable IPv6 address assignment'),
  label: list('label', 'Set metadata on a network', { check: checkLabel }),
  opt: keyValues('o,opt', 'Set driver specific options (default map[])'),
  scope: string('scope', "Control the network's scope"),
  subnet: commaList('subnet', 'Subnet in CIDR format that represents a network segment'),
}

export const command = defineCommand({
  usage: '[OPTIONS] NETWORK',
  summary: 'Create a network',
  count: exactly(1),
  flags,
  async run(cli, parsed) {
    const { Id } = await cli.engine.networks.create(buildBody(parsed))
    cli.out(`${Id}\n`)
  },
})

function buildBody({ args, flags: given, changed }: Parsed<typeof flags>): NetworkCreateBody {
  return {
    Name: args[0] ?? '',
    Driver: given.driver,
    Scope: given.scope,
    ...(changed('ipv4') ? { EnableIPv4: given.ipv4 } : {}),
    ...(changed('ipv6') ? { EnableIPv6: given.ipv6 } : {}),
    IPAM: {
      Driver: given.ipamDriver,
      Options: given.ipamOpt,
      Config: planSubnets({
        subnets: given.subnet,
        ranges: given.ipRange,
        gateways: given.gateway,
        auxiliary: given.auxAddress,
      }),
    },
    Internal: given.internal,
    Attachable: given.attachable,
    Ingress: given.ingress,
    ConfigOnly: given.configOnly,
    ConfigFrom: given.configFrom === '' ? null : { Network: given.configFrom },
    Options: given.opt,
    Labels: toRecord(given.label),
  }
}
