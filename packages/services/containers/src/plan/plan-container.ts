import { invalid, shortId } from '@berth/base'
import {
  type ContainerConfig,
  type ContainerCreateRequest,
  emptyEndpoint,
  type EndpointSettings,
  type HostConfig,
} from '@berth/engine-api'
import type { ImageRunConfig } from '@berth/oci'
import { defaultMaskedPaths, defaultReadonlyPaths } from '@berth/runtime'
import { mergeLogConfig, planLog } from './log-options.ts'
import { joinArgs, mergeImageConfig } from './merge-image.ts'
import { planMountPoints } from './mount-points.ts'
import { joinedContainer, validateNetworkMode } from './namespace-modes.ts'
import { referencesOf } from './references.ts'
import { parseSecurityOptions, shownSecurityOptions } from './security-options.ts'
import type { ContainerPlan, DaemonDefaults, PlanContext, PlanImage } from './types.ts'
import { isMacAddress, validateConfig } from './validate-config.ts'
import { validateHostConfig } from './validate-host-config.ts'
import { validateResources } from './validate-resources.ts'

/**
 * Decides what a new container is: the request checked, merged with the image's configuration, defaults filled in. Pure.
 * Throws `invalid` (400) in Docker's words.
 */
export function planContainer(request: ContainerCreateRequest, image: PlanImage, context: PlanContext): ContainerPlan {
  const { facts, defaults } = context
  const asked = nameDefaults(request.hostConfig)
  const own = validateConfig(request.config)
  referencesOf(request.hostConfig)
  validateEndpoints(request.endpoints)
  validateHostConfig(asked, context)
  validateNetworkMode(asked, own.Hostname, hasPorts(own))
  const { resources: limited, warnings } = validateResources(asked, facts)
  const merged = validateConfig(mergeImageConfig(own, rooted(image.config.config)))
  const hostConfig = fillDefaults(limited, context)
  const { appArmorProfile } = parseSecurityOptions(hostConfig.SecurityOpt ?? [], defaults)
  planLog(hostConfig.LogConfig)
  return {
    config: { ...merged, Hostname: hostnameOf(merged, hostConfig, context) },
    hostConfig,
    args: joinArgs(merged),
    endpoints: planEndpoints(request, hostConfig),
    mounts: planMountPoints(hostConfig, merged.Volumes, { dataRoot: defaults.dataRoot, mountsOf: context.mountsOf }),
    appArmorProfile: chooseAppArmor(appArmorProfile, hostConfig, context),
    references: referencesOf(hostConfig),
    warnings: [...mountWarnings(hostConfig), ...warnings, ...hostWarnings(hostConfig, context)],
  }
}

function validateEndpoints(endpoints: ContainerCreateRequest['endpoints']): void {
  for (const [name, { MacAddress, IPAMConfig }] of Object.entries(endpoints)) {
    if (joinedContainer(name) !== undefined && (IPAMConfig?.IPv4Address || IPAMConfig?.IPv6Address)) {
      const complaint = 'user specified IP address is supported on user defined networks only'
      throw invalid(`invalid config for network ${name}: invalid endpoint settings:\n${complaint}`)
    }
    if (MacAddress !== '' && !isMacAddress(MacAddress)) {
      throw invalid(`invalid config for network ${name}: invalid MAC address ${MacAddress}`)
    }
  }
}

/** An image may name its working directory without the slash. */
function rooted(config: ImageRunConfig = {}): ImageRunConfig {
  return config.WorkingDir ? { ...config, WorkingDir: `/${config.WorkingDir}` } : config
}

const hasPorts = ({ ExposedPorts }: ContainerConfig): boolean => Object.keys(ExposedPorts ?? {}).length > 0

function nameDefaults(hostConfig: HostConfig): HostConfig {
  const { NetworkMode, RestartPolicy } = hostConfig
  return {
    ...hostConfig,
    NetworkMode: NetworkMode === '' || NetworkMode === 'default' ? 'bridge' : NetworkMode,
    RestartPolicy: { ...RestartPolicy, Name: RestartPolicy.Name || 'no' },
  }
}

function fillDefaults(hostConfig: HostConfig, { facts, defaults }: PlanContext): HostConfig {
  const { Privileged, Memory, MemorySwap } = hostConfig
  return {
    ...hostConfig,
    // Docker's choice: as much swap as memory.
    MemorySwap: Memory > 0 && MemorySwap === 0 && facts.cgroup.hasSwapLimit ? Memory * 2 : MemorySwap,
    ShmSize: hostConfig.ShmSize || defaults.shmSizeBytes,
    IpcMode: hostConfig.IpcMode || defaults.ipcMode,
    CgroupnsMode: hostConfig.CgroupnsMode || defaultCgroupns(hostConfig, facts.cgroup.version, defaults),
    LogConfig: mergeLogConfig(hostConfig.LogConfig, defaults.logConfig),
    Runtime: hostConfig.Runtime || (defaults.runtimes[0] ?? ''),
    SecurityOpt: shownSecurityOptions(hostConfig),
    MaskedPaths: hostConfig.MaskedPaths ?? (Privileged ? null : [...defaultMaskedPaths, ...facts.thermalThrottlePaths]),
    ReadonlyPaths: hostConfig.ReadonlyPaths ?? (Privileged ? null : [...defaultReadonlyPaths]),
  }
}

/** On v2 even a privileged container gets one of its own. */
function defaultCgroupns(
  { Privileged }: HostConfig,
  version: 1 | 2,
  { cgroupnsMode }: DaemonDefaults,
): 'private' | 'host' {
  if (Privileged && version === 1) return 'host'
  return cgroupnsMode || (version === 1 ? 'host' : 'private')
}

function hostnameOf(config: ContainerConfig, { NetworkMode }: HostConfig, { id, facts }: PlanContext): string {
  if (config.Hostname !== '') return config.Hostname
  return NetworkMode === 'host' ? facts.hostname : shortId(id)
}

function planEndpoints(
  { endpoints, config }: ContainerCreateRequest,
  { NetworkMode }: HostConfig,
): Readonly<Record<string, EndpointSettings>> {
  if (config.NetworkDisabled || joinedContainer(NetworkMode) !== undefined) return {}
  return Object.hasOwn(endpoints, NetworkMode) ? endpoints : { ...endpoints, [NetworkMode]: emptyEndpoint() }
}

/** '' where the kernel has no AppArmor. */
function chooseAppArmor(asked: string, { Privileged }: HostConfig, { facts }: PlanContext): string {
  if (!facts.hasAppArmor) return ''
  return asked || (Privileged ? 'unconfined' : 'docker-default')
}

/** One for each, before all others. */
const mountWarnings = ({ Mounts }: HostConfig): string[] =>
  (Mounts ?? []).filter(({ Type }) => Type === 'image').map(() => 'Image mount is an experimental feature')

function hostWarnings({ NetworkMode, PortBindings, CgroupnsMode }: HostConfig, { facts }: PlanContext): string[] {
  const warnings: string[] = []
  if (NetworkMode === 'host' && Object.keys(PortBindings ?? {}).length > 0) {
    warnings.push('Published ports are discarded when using host network mode')
  }
  if (CgroupnsMode === 'private' && !facts.hasCgroupNamespaces) {
    warnings.push('Your kernel does not support cgroup namespaces.  Cgroup namespace setting discarded.')
  }
  return warnings
}
