import type { Context } from '../context.ts'
import type { SandboxState } from '../endpoints/sandbox-states.ts'
import { refreshResolvConf, upstreamOf } from '../files/container-files.ts'
import type { Endpoint } from '../model.ts'
import type { DnsEndpoint } from './names.ts'

type DnsContext = Pick<Context, 'resolvers' | 'registry'>

/** On a network with names: the engine's DNS is the container's. */
export const usesEngineDns = (endpoints: readonly Endpoint[]): boolean =>
  endpoints.some(({ settings }) => settings.DNSNames !== null)

/** Makes the DNS know a sandbox as it is now, and serve it once it is on a network with names. Idempotent. */
export function serveNames(context: DnsContext, state: SandboxState): void {
  const { attachment, pin, endpoints, request } = state
  const { sandboxId } = attachment
  if (pin === undefined || !usesEngineDns(endpoints)) return
  for (const endpoint of endpoints) {
    const named = nameEndpoint(endpoint, sandboxId)
    if (named) context.resolvers.put(named)
  }
  const leadsOutside = endpoints.some(({ networkId }) => context.registry.byId(networkId)?.internal === false)
  context.resolvers.open({ sandboxId, pin, forwards: leadsOutside, ...upstreamOf(request) })
}

/** The same for a sandbox that has come to another network: its resolv.conf may have to change. */
export function serveNamesAnew(context: DnsContext, state: SandboxState): void {
  serveNames(context, state)
  if (usesEngineDns(state.endpoints)) refreshResolvConf(state.attachment, state.request)
}

/** A network that is none of the container's any more. */
export function forgetEndpointNames({ resolvers }: Pick<Context, 'resolvers'>, { settings }: Endpoint): void {
  resolvers.remove(settings.EndpointID)
}

/** Before the namespace is let go. */
export function forgetNames({ resolvers }: Pick<Context, 'resolvers'>, { attachment, endpoints }: SandboxState): void {
  for (const { settings } of endpoints) resolvers.remove(settings.EndpointID)
  // Who shares another's has none.
  if (attachment.sandboxId !== '') resolvers.close(attachment.sandboxId)
}

function nameEndpoint({ networkId, networkName, settings }: Endpoint, sandboxId: string): DnsEndpoint | undefined {
  const { EndpointID, DNSNames, IPAddress, GlobalIPv6Address, Links } = settings
  if (!DNSNames || DNSNames.length === 0) return undefined
  return {
    endpointId: EndpointID,
    sandboxId,
    networkId,
    networkName,
    dnsNames: DNSNames,
    ipv4: IPAddress || undefined,
    ipv6: GlobalIPv6Address || undefined,
    links: (Links ?? []).map(parseLink),
  }
}

/** `name:alias`; without an alias the name itself. */
function parseLink(link: string): { readonly name: string; readonly alias: string } {
  const [name = '', alias = name] = link.split(':')
  return { name: name.replace(/^\//, ''), alias: alias.replace(/^\//, '') }
}
