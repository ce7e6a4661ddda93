import type { BridgeContext } from '../bridges.ts'
import type { GuardedLink } from '../firewall/rules.ts'
import type { Endpoint } from '../model.ts'
import { endpointAddresses } from './take-endpoint.ts'

/** What may come from an endpoint's link. */
export function guardOf({ bridges }: Pick<BridgeContext, 'bridges'>, endpoint: Endpoint): GuardedLink[] {
  if (!endpoint.link?.host) return []
  return [
    {
      hostLink: endpoint.link.host,
      mac: endpoint.settings.MacAddress,
      addresses: endpointAddresses(endpoint).map(({ address }) => address),
      icc: bridges.get(endpoint.networkId)?.settings.icc ?? true,
    },
  ]
}
