import type { PortMap, PortSummary } from '@berth/engine-api'

/** `80/tcp` to the host's addresses, as entries sorted by port. */
export function presentPorts(ports: Readonly<PortMap>): PortSummary[] {
  return Object.entries(ports)
    .flatMap(([key, bindings]): PortSummary[] => {
      const slash = key.indexOf('/')
      const own = { PrivatePort: Number(key.slice(0, slash)), Type: key.slice(slash + 1) }
      if (!bindings || bindings.length === 0) return [own]
      return bindings.map(({ HostIp, HostPort }) => ({ IP: HostIp, ...own, PublicPort: Number(HostPort) }))
    })
    .toSorted((a, b) => a.PrivatePort - b.PrivatePort || a.Type.localeCompare(b.Type))
}
