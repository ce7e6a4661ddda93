import { ownValue, shortId } from '@berth/base'
import type { Container, ContainerState, MountPoint } from '@berth/containers'
import {
  type ApiVersion,
  type ContainerInspectResponse,
  type ContainerStateResponse,
  emptyEndpoint,
  type EndpointSettings,
  type GraphDriverResponse,
  has,
  type MountPointResponse,
  type NetworkSettingsResponse,
  type PortMap,
} from '@berth/engine-api'

/** What inspect shows besides the container's own record. */
export interface InspectFacts {
  readonly logPath: string
  readonly files: { readonly resolvConfPath: string; readonly hostnamePath: string; readonly hostsPath: string }
  readonly network: { readonly sandboxId: string; readonly sandboxKey: string; readonly ports: Readonly<PortMap> }
  readonly graphDriver: { readonly Name: string; readonly Data: Readonly<Record<string, string>> | null }
  readonly size?: { readonly sizeRwBytes: number; readonly sizeRootFsBytes: number }
  /** `/target:/name/alias` of each link; null without links. */
  readonly links: string[] | null
}

/** `GET /containers/{id}/json`. */
export function presentContainer(
  container: Container,
  facts: InspectFacts,
  version: ApiVersion,
): ContainerInspectResponse {
  const [path = '', ...args] = container.args
  return {
    Id: container.id,
    Created: container.createdAt,
    Path: path,
    Args: args,
    State: presentState(container.state),
    Image: container.imageId,
    ResolvConfPath: facts.files.resolvConfPath,
    HostnamePath: facts.files.hostnamePath,
    HostsPath: facts.files.hostsPath,
    LogPath: facts.logPath,
    Name: `/${container.name}`,
    RestartCount: container.restartCount,
    Driver: facts.graphDriver.Name,
    Platform: container.platform.os,
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: container.appArmorProfile,
    ExecIDs: container.execIds.length > 0 ? [...container.execIds] : null,
    HostConfig: { ...container.hostConfig, Links: facts.links },
    GraphDriver: facts.graphDriver as GraphDriverResponse,
    ...(facts.size ? { SizeRw: facts.size.sizeRwBytes, SizeRootFs: facts.size.sizeRootFsBytes } : {}),
    Mounts: presentMounts(container.mounts),
    Config: presentConfig(container),
    NetworkSettings: presentNetworkSettings(container, facts.network, version),
  }
}

/** The MAC address that was asked for on the main network is told here too, for clients of before there were several. */
function presentConfig({ config, hostConfig, requestedEndpoints }: Container): ContainerInspectResponse['Config'] {
  const { MacAddress } = ownValue(requestedEndpoints, hostConfig.NetworkMode) ?? emptyEndpoint()
  const Env = config.Env.length > 0 ? config.Env : null
  return { ...config, Env, OnBuild: config.OnBuild ?? null, ...(MacAddress === '' ? {} : { MacAddress }) }
}

function presentState(state: ContainerState): ContainerStateResponse {
  const { status, health } = state
  return {
    Status: status,
    // A container between two runs counts as running, as clients that stop or remove it expect.
    Running: status === 'running' || status === 'paused' || status === 'restarting',
    Paused: status === 'paused',
    Restarting: status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: status === 'dead',
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt,
    FinishedAt: state.finishedAt,
    ...(health ? { Health: presentHealth(health) } : {}),
  }
}

function presentHealth(health: NonNullable<ContainerState['health']>): NonNullable<ContainerStateResponse['Health']> {
  return {
    Status: health.status,
    FailingStreak: health.failingStreak,
    Log: health.log.map(({ start, end, exitCode, output }) => ({
      Start: start,
      End: end,
      ExitCode: exitCode,
      Output: output,
    })),
  }
}

export function presentMounts(mounts: readonly MountPoint[]): MountPointResponse[] {
  return mounts.map((mount) => ({
    Type: mount.type,
    ...(mount.name === undefined ? {} : { Name: mount.name }),
    Source: mount.source,
    Destination: mount.destination,
    ...(mount.driver === undefined ? {} : { Driver: mount.driver }),
    Mode: mount.mode,
    RW: mount.rw,
    Propagation: mount.propagation,
  }))
}

function presentNetworkSettings(
  container: Container,
  { sandboxId, sandboxKey, ports }: InspectFacts['network'],
  version: ApiVersion,
): NetworkSettingsResponse {
  const main = container.endpoints['bridge'] ?? emptyEndpoint()
  return {
    Bridge: '',
    SandboxID: sandboxId,
    SandboxKey: sandboxKey,
    Ports: ports as PortMap,
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: main.EndpointID,
    Gateway: main.Gateway,
    GlobalIPv6Address: main.GlobalIPv6Address,
    GlobalIPv6PrefixLen: main.GlobalIPv6PrefixLen,
    IPAddress: main.IPAddress,
    IPPrefixLen: main.IPPrefixLen,
    IPv6Gateway: main.IPv6Gateway,
    MacAddress: main.MacAddress,
    Networks: presentEndpoints(container, version),
  }
}

const predefined = new Set(['bridge', 'host', 'none', 'default'])

/** By name, as Go writes a map. Before 1.45 the short id stood among the aliases on networks that users made. */
function presentEndpoints(container: Container, version: ApiVersion): Record<string, EndpointSettings> {
  const entries = Object.entries(container.endpoints).toSorted(([a], [b]) => (a < b ? -1 : 1))
  if (!has(version, 'shortIdAlias')) return Object.fromEntries(entries)
  const own = [shortId(container.id), container.config.Hostname].filter((name) => name !== '')
  return Object.fromEntries(
    entries.map(([name, endpoint]) => {
      if (predefined.has(name)) return [name, endpoint]
      return [name, { ...endpoint, Aliases: [...new Set([...(endpoint.Aliases ?? []), ...own])] }]
    }),
  )
}
