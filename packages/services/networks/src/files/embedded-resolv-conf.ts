import type { UpstreamServer } from '../dns/forwarder.ts'
import { resolverAddress } from '../dns/dns.ts'
import { defaultServers, parseResolvConf, resolvConfHeader, type ResolvConfOptions } from './resolv-conf.ts'

export interface EmbeddedResolvConf {
  readonly text: string
  /** Whom the engine's DNS asks for the container. */
  readonly servers: readonly UpstreamServer[]
  /** The user or the host has asked for some: names without dots are not for the outside. */
  readonly hasNdots: boolean
}

/** The text of /etc/resolv.conf where the engine's DNS serves, byte for byte as Docker 28 writes it. */
export function buildEmbeddedResolvConf(options: Omit<ResolvConfOptions, 'transform'>): EmbeddedResolvConf {
  const host = parseResolvConf(options.source)
  const searched = options.dnsSearch.length > 0 ? options.dnsSearch.filter((domain) => domain !== '.') : host.search
  const { settings, ndotsFrom } = chooseSettings(options.dnsOptions, host.options)
  const { servers, usesDefaults } = chooseServers(options.dns, host.servers)
  const overrides = [
    ...(options.dns.length > 0 ? ['nameservers'] : []),
    ...(options.dnsSearch.length > 0 ? ['search'] : []),
    ...(options.dnsOptions.length > 0 ? ['options'] : []),
  ]
  const lines = [
    resolvConfHeader,
    `nameserver ${resolverAddress}`,
    ...(searched.length > 0 ? [`search ${searched.join(' ')}`] : []),
    `options ${settings.join(' ')}`,
    ...host.other,
    '',
    `# Based on host file: '${options.sourcePath}' (internal resolver)`,
    ...(usesDefaults ? ['# Used default nameservers.'] : []),
    `# ExtServers: [${servers.map(({ address, fromHost }) => (fromHost ? `host(${address})` : address)).join(' ')}]`,
    ...(host.invalid.length > 0 ? [`# Invalid nameservers: [${host.invalid.join(' ')}]`] : []),
    `# Overrides: [${overrides.join(' ')}]`,
    `# Option ndots from: ${ndotsFrom}`,
  ]
  return {
    text: `${lines.join('\n')}\n`,
    servers,
    hasNdots: ndotsFrom !== 'internal',
  }
}

/** Without a setting of its own the resolver is asked for every name as it is: the engine's names have no dots. */
function chooseSettings(asked: readonly string[], ofHost: readonly string[]) {
  const settings = asked.length > 0 ? asked : ofHost
  if (!settings.some((setting) => setting.startsWith('ndots:'))) {
    return { settings: [...settings, 'ndots:0'], ndotsFrom: 'internal' }
  }
  return { settings, ndotsFrom: asked.length > 0 ? 'override' : 'host' }
}

function chooseServers(asked: readonly string[], ofHost: readonly string[]) {
  if (asked.length > 0) {
    return { servers: asked.map((address) => ({ address, fromHost: false })), usesDefaults: false }
  }
  if (ofHost.length > 0) {
    return { servers: ofHost.map((address) => ({ address, fromHost: true })), usesDefaults: false }
  }
  return { servers: defaultServers.map((address) => ({ address, fromHost: false })), usesDefaults: true }
}
