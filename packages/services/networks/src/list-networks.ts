import type { NetworkContainer, NetworkResponse } from '@berth/engine-api'
import type { Context } from './context.ts'
import { predefinedNames, type PredefinedName } from './store.ts'
import { formatSubnet, toText } from './ipam/subnet.ts'

/** The networks as `GET /networks` shows them, with the containers that are in them. */
export function listNetworks(context: Context): NetworkResponse[] {
  return predefinedNames.map((name) => describeNetwork(context, name))
}

function describeNetwork(context: Context, name: PredefinedName): NetworkResponse {
  const { id, driver, created } = context.store.get(name)
  const { bridge } = context
  const isBridge = name === 'bridge'
  const config = isBridge ? [{ Subnet: formatSubnet(bridge.subnet), Gateway: toText(bridge.gateway) }] : null
  return {
    Name: name,
    Id: id,
    Created: created,
    Scope: 'local',
    Driver: driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: 'default', Options: null, Config: config },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: containersIn(context, name),
    Options: isBridge ? bridgeOptions(bridge) : {},
    Labels: {},
  }
}

function bridgeOptions({ name, mtu }: Context['bridge']): Record<string, string> {
  return {
    'com.docker.network.bridge.default_bridge': 'true',
    'com.docker.network.bridge.enable_icc': 'true',
    'com.docker.network.bridge.enable_ip_masquerade': 'true',
    'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
    'com.docker.network.bridge.name': name,
    'com.docker.network.driver.mtu': `${mtu}`,
  }
}

function containersIn({ states }: Context, network: PredefinedName): Record<string, NetworkContainer> {
  const containers: Record<string, NetworkContainer> = {}
  for (const { containerId, name, attachment } of states.all()) {
    const endpoint = attachment.endpoints[network]
    if (!endpoint) continue
    containers[containerId] = {
      Name: name,
      EndpointID: endpoint.EndpointID,
      MacAddress: endpoint.MacAddress,
      IPv4Address: endpoint.IPAddress && `${endpoint.IPAddress}/${endpoint.IPPrefixLen}`,
      IPv6Address: '',
    }
  }
  return containers
}
