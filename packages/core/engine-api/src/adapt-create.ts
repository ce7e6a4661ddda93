import { invalid, ownValue } from '@berth/base'
import type {
  ContainerConfig,
  ContainerCreateRequest,
  EndpointSettings,
  HostConfig,
  MountSpec,
} from './container-config.ts'
import { type ApiVersion, has } from './versions.ts'

type Draft = {
  readonly config: ContainerConfig
  readonly hostConfig: HostConfig
  readonly endpoints: Record<string, EndpointSettings>
}

/** Brings a decoded create request of an older API version to the newest one, and its defaults to their values. */
export function adaptCreate(
  draft: Draft,
  version: ApiVersion,
): Pick<ContainerCreateRequest, 'config' | 'hostConfig' | 'endpoints'> & { warnings: string[] } {
  const { config, hostConfig } = draft
  nameDefaults(draft)
  dropUnknownFields(draft, version)
  if (has(version, 'clientRemovesContainers')) hostConfig.AutoRemove = false
  if (!has(version, 'privateIpcByDefault')) hostConfig.IpcMode ||= 'shareable'
  if (has(version, 'hostCgroupnsByDefault')) hostConfig.CgroupnsMode ||= 'host'
  if (hostConfig.PidsLimit !== null && hostConfig.PidsLimit <= 0) hostConfig.PidsLimit = null
  for (const mount of hostConfig.Mounts ?? []) adaptMount(mount, version)
  checkEndpoints(draft.endpoints, version)
  const warnings = moveMacAddress(draft, version)
  return { config, hostConfig, endpoints: draft.endpoints, warnings }
}

/** Docker's defaults are spelled out: network `bridge`, restart policy `no`; no volume is null, however it was said. */
function nameDefaults({ config, hostConfig, endpoints }: Draft): void {
  if (config.Volumes && Object.keys(config.Volumes).length === 0) config.Volumes = null
  if (hostConfig.NetworkMode === '' || hostConfig.NetworkMode === 'default') hostConfig.NetworkMode = 'bridge'
  const { default: byDefault } = endpoints
  if (byDefault) {
    delete endpoints['default']
    endpoints['bridge'] ??= byDefault
  }
  hostConfig.RestartPolicy.Name ||= 'no'
}

function dropUnknownFields({ config, hostConfig, endpoints }: Draft, version: ApiVersion): void {
  if (!has(version, 'kernelMemoryTcp')) delete hostConfig.KernelMemoryTCP
  if (!has(version, 'kernelMemory')) delete hostConfig.KernelMemory
  if (!has(version, 'consoleSize')) hostConfig.ConsoleSize = [0, 0]
  if (!has(version, 'annotations')) delete hostConfig.Annotations
  if (!has(version, 'healthStartInterval')) delete config.Healthcheck?.StartInterval
  if (has(version, 'gatewayPriority')) return
  for (const endpoint of Object.values(endpoints)) endpoint.GwPriority = 0
}

function adaptMount(mount: MountSpec, version: ApiVersion): void {
  if (mount.Type === 'image' && !has(version, 'imageMounts')) {
    throw invalid('Mount type "Image" needs API v1.48 or newer')
  }
  if (mount.VolumeOptions?.Subpath && !has(version, 'volumeSubpath')) {
    throw invalid('VolumeOptions.Subpath needs API v1.45 or newer')
  }
  if (mount.BindOptions && !has(version, 'nonRecursiveBinds')) delete mount.BindOptions.NonRecursive
  if (mount.BindOptions && !has(version, 'createMountpoint')) delete mount.BindOptions.CreateMountpoint
  if (!has(version, 'recursiveReadOnlyBinds')) keepReadOnlyFlat(mount)
}

/** Before 1.44 a read-only bind left the mounts below it writable; clients of that time keep what they knew. */
function keepReadOnlyFlat(mount: MountSpec): void {
  if (mount.BindOptions?.ReadOnlyForceRecursive) {
    throw invalid('BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer')
  }
  if (mount.Type === 'bind' && mount.ReadOnly) mount.BindOptions = { ...mount.BindOptions, ReadOnlyNonRecursive: true }
}

function checkEndpoints(endpoints: Record<string, EndpointSettings>, version: ApiVersion): void {
  const names = Object.keys(endpoints)
  if (names.length < 2 || has(version, 'severalEndpointsAtCreate')) return
  throw invalid(`Container cannot be created with multiple network endpoints: ${names.toSorted().join(', ')}`)
}

/** `Config.MacAddress` of old clients belongs to the endpoint of the main network. */
function moveMacAddress({ config, hostConfig, endpoints }: Draft, version: ApiVersion): string[] {
  const mac = config.MacAddress
  if (!mac) return []
  const mode = hostConfig.NetworkMode
  if (mode === 'host' || mode === 'none' || mode.startsWith('container:')) {
    throw invalid('conflicting options: mac-address and the network mode')
  }
  const endpoint = ownValue(endpoints, mode) ?? emptyEndpoint()
  if (endpoint.MacAddress && endpoint.MacAddress !== mac) {
    throw invalid(
      'the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty',
    )
  }
  endpoints[mode] = { ...endpoint, MacAddress: mac }
  if (has(version, 'containerWideMacAddress')) return []
  return ['The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.']
}

/** An endpoint of which nothing was asked and nothing is known. */
export function emptyEndpoint(): EndpointSettings {
  return {
    IPAMConfig: null,
    Links: null,
    Aliases: null,
    MacAddress: '',
    DriverOpts: null,
    GwPriority: 0,
    NetworkID: '',
    EndpointID: '',
    Gateway: '',
    IPAddress: '',
    IPPrefixLen: 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: null,
  }
}
