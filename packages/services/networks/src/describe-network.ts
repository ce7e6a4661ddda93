import type { IpamConfig, NetworkContainer, NetworkResponse } from '@berth/engine-api'
import type { Context } from './context.ts'
import type { Endpoint, NetworkRecord } from './model.ts'

/** A network as `GET /networks/{id}` shows it, with the containers that are in it. */
export function describeNetwork({ states }: Pick<Context, 'states'>, record: NetworkRecord): NetworkResponse {
  const members = states.endpointsIn(record.id)
  const { ipam } = record
  return {
    Name: record.name,
    Id: record.id,
    Created: record.created,
    Scope: record.scope,
    Driver: record.driver,
    EnableIPv4: record.enableIPv4,
    EnableIPv6: record.enableIPv6,
    IPAM: { Driver: ipam.driver, Options: ipam.options, Config: ipam.config && ipam.config.map(describeConfig) },
    Internal: record.internal,
    Attachable: record.attachable,
    Ingress: false,
    ConfigFrom: { Network: record.configFrom },
    ConfigOnly: record.configOnly,
    Containers: Object.fromEntries(
      members
        .map(({ state, endpoint }) => [state.containerId, describeMember(state.name, endpoint)] as const)
        .toSorted(byKey),
    ),
    Options: record.options,
    Labels: record.labels,
  }
}

/** What says nothing is left out. */
function describeConfig({ Subnet, IPRange, Gateway, AuxiliaryAddresses }: IpamConfig): IpamConfig {
  return {
    ...(Subnet ? { Subnet } : {}),
    ...(IPRange ? { IPRange } : {}),
    ...(Gateway ? { Gateway } : {}),
    ...(Object.keys(AuxiliaryAddresses ?? {}).length > 0 ? { AuxiliaryAddresses } : {}),
  } as IpamConfig
}

/** As Go writes a map. */
const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

function describeMember(name: string, { settings }: Endpoint): NetworkContainer {
  const { IPAddress, IPPrefixLen, GlobalIPv6Address, GlobalIPv6PrefixLen } = settings
  return {
    Name: name,
    EndpointID: settings.EndpointID,
    MacAddress: settings.MacAddress,
    IPv4Address: IPAddress && `${IPAddress}/${IPPrefixLen}`,
    IPv6Address: GlobalIPv6Address && `${GlobalIPv6Address}/${GlobalIPv6PrefixLen}`,
  }
}
