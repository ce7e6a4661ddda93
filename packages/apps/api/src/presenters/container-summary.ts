import type { Container } from '@berth/containers'
import { type ApiVersion, type ContainerSummary, type EndpointSettings, has, type PortMap } from '@berth/engine-api'
import { presentMounts } from './container.ts'
import { presentPorts } from './ports.ts'
import { statusText } from './status.ts'

/** What a list shows besides the container's own record. */
export interface SummaryFacts {
  /** Names by links of other containers, with slashes. */
  readonly linkNames: readonly string[]
  /** The reference as given, or the id when that names another image by now. */
  readonly image: string
  readonly ports: Readonly<PortMap>
  readonly size?: { readonly sizeRwBytes: number; readonly sizeRootFsBytes: number }
  readonly nowMs: number
}

/** One entry of `GET /containers/json`. */
export function presentSummary(container: Container, facts: SummaryFacts, version: ApiVersion): ContainerSummary {
  const { hostConfig } = container
  const annotations = has(version, 'listAnnotations') ? hostConfig.Annotations : undefined
  return {
    Id: container.id,
    Names: [`/${container.name}`, ...facts.linkNames],
    Image: facts.image,
    ImageID: container.imageId,
    Command: commandText(container.args),
    Created: Math.floor(Date.parse(container.createdAt) / 1000),
    Ports: presentPorts(facts.ports),
    ...(facts.size ? presentSize(facts.size) : {}),
    Labels: container.config.Labels,
    State: container.state.status,
    Status: statusText(container.state, facts.nowMs),
    HostConfig: { NetworkMode: hostConfig.NetworkMode, ...(annotations ? { Annotations: annotations } : {}) },
    NetworkSettings: { Networks: presentAddresses(container) },
    Mounts: presentMounts(container.mounts),
  }
}

/** Zero is left out, as everywhere where Docker says omitempty. */
function presentSize({ sizeRwBytes, sizeRootFsBytes }: NonNullable<SummaryFacts['size']>): Partial<ContainerSummary> {
  return {
    ...(sizeRwBytes > 0 ? { SizeRw: sizeRwBytes } : {}),
    ...(sizeRootFsBytes > 0 ? { SizeRootFs: sizeRootFsBytes } : {}),
  }
}

/** Where a container is; what was asked of its endpoints only inspect shows. */
function presentAddresses({ endpoints }: Container): Record<string, EndpointSettings> {
  const entries = Object.entries(endpoints).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(
    entries.map(([name, settings]) => {
      const { IPv4Address, IPv6Address } = settings.IPAMConfig ?? {}
      const addresses = { ...(IPv4Address ? { IPv4Address } : {}), ...(IPv6Address ? { IPv6Address } : {}) }
      const IPAMConfig = settings.IPAMConfig && addresses
      return [name, { ...settings, IPAMConfig, Links: null, Aliases: null, DriverOpts: null, DNSNames: null }]
    }),
  )
}

function commandText([path = '', ...args]: readonly string[]): string {
  return [path, ...args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ')
}
