import { EngineError, internal, messageOf } from '@berth/base'
import type { Context } from '../context.ts'
import type { PublishedPort } from '../firewall/rules.ts'
import type { Endpoint } from '../model.ts'
import type { AttachRequest } from '../networks.ts'
import { planPorts } from '../ports/plan-ports.ts'
import { waysOut } from './routes.ts'

interface Publisher extends Pick<AttachRequest, 'name' | 'portBindings'> {
  readonly suspended?: readonly PublishedPort[]
}

/**
 * Takes the container's ports for the endpoints by which it is reached: its ways out. The firewall does not know yet.
 * `suspended` are those that it had, if they are to move.
 */
export function publishPorts(
  context: Pick<Context, 'bridges' | 'ports'>,
  { name, portBindings, suspended }: Publisher,
  endpoints: readonly Endpoint[],
): readonly PublishedPort[] {
  const ways = waysOut(endpoints)
  // A stacked link's neighbours reach the container themselves.
  const [ipv4, ipv6] = [ways.ipv4, ways.ipv6].map((way) =>
    way && context.bridges.has(way.networkId) ? way : undefined,
  )
  const way = ipv4 ?? ipv6
  if (!way || Object.keys(portBindings).length === 0) return []
  const modes = [ipv4, ipv6].map((endpoint) => context.bridges.get(endpoint?.networkId ?? way.networkId)?.settings)
  const wanted = planPorts(portBindings, (modes[0] ?? modes[1])?.hostBindingIPv4)
  try {
    const target = {
      ipv4: ipv4?.settings.IPAddress,
      ipv6: ipv6?.settings.GlobalIPv6Address,
      isRouted4: modes[0]?.gatewayModeIPv4 === 'routed',
      isRouted6: modes[1]?.gatewayModeIPv6 === 'routed',
      isDirect: modes.some((settings) => settings !== undefined && settings.directFrom.length > 0),
    }
    return context.ports.publish(wanted, target, suspended)
  } catch (error) {
    throw described(`${name} (${way.settings.EndpointID})`, error)
  }
}

function described(endpoint: string, error: unknown): EngineError {
  const message = `driver failed programming external connectivity on endpoint ${endpoint}: ${messageOf(error)}`
  return error instanceof EngineError
    ? new EngineError(error.kind, message, { cause: error })
    : internal(message, error)
}

/** Whether the container's ports would lead elsewhere. */
export function reachedAs(endpoints: readonly Endpoint[]): string {
  const { ipv4, ipv6 } = waysOut(endpoints)
  return `${ipv4?.settings.EndpointID} ${ipv6?.settings.EndpointID}`
}
