import { unavailable } from '@berth/base'
import type { Context } from '../context.ts'
import type { Endpoint } from '../model.ts'
import type { PlannedLink } from './sandbox.ts'

/** What an endpoint's link is made of, if it has one. */
export function plannedLink(
  { bridges, parents }: Pick<Context, 'bridges' | 'parents'>,
  endpoint: Endpoint,
): PlannedLink[] {
  const { link, networkId, networkName } = endpoint
  if (!link) return []
  const [bridge, parent] = [bridges.get(networkId), parents.get(networkId)]
  if (!bridge && !parent) throw unavailable(`the network ${networkName} has no link on this host`)
  return [{ endpoint: { ...endpoint, link }, bridge, parent }]
}
