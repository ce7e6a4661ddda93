import { RouteSocket } from '@berth/linux'
import { familyOf, type Subnet, subnetOf, toNumber } from './subnet.ts'

/** The subnets that the host's routes lead to, but for those by links of `own` names and the default routes. */
export function hostSubnets(own: ReadonlySet<string>): Subnet[] {
  using socket = new RouteSocket()
  const ownIndexes = new Set(socket.links().flatMap(({ name, index }) => (own.has(name) ? [index] : [])))
  return socket.routes().flatMap(({ link, destination, prefixLength }) => {
    if (destination === undefined || prefixLength === 0 || ownIndexes.has(link)) return []
    const family = familyOf(destination)
    return [subnetOf(toNumber(destination), family, prefixLength)]
  })
}
