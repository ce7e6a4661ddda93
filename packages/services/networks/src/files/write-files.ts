import { endpointAddresses } from '../endpoints/take-endpoint.ts'
import type { SandboxState } from '../endpoints/sandbox-states.ts'
import { usesEngineDns } from '../dns/serve-sandbox.ts'
import { writeContainerFiles } from './container-files.ts'

/** Writes a starting container's hosts, hostname and resolv.conf. */
export function writeFiles(
  { attachment, endpoints, request }: SandboxState,
  extraHosts: readonly (readonly [string, string])[],
): void {
  const { hostname, domainname, dns, dnsSearch, dnsOptions } = request
  writeContainerFiles(attachment, {
    hostname,
    domainname,
    dns,
    dnsSearch,
    dnsOptions,
    addresses: endpoints.flatMap(endpointAddresses).map(({ address }) => address),
    extraHosts,
    usesEngineDns: usesEngineDns(endpoints),
    isHost: attachment.netnsPath === undefined,
  })
}
