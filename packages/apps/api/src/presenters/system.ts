import { nowText } from '@berth/base'
import type { Container } from '@berth/containers'
import {
  type ApiVersion,
  type CommitInfo,
  has,
  type InfoResponse,
  newestVersion,
  oldestVersion,
  type RegistryConfigInfo,
  type RuntimeInfo,
  type VersionResponse,
  versionText,
} from '@berth/engine-api'
import type { InfoFacts, VersionFacts } from '../deps.ts'

/** `GET /version`. */
export function presentVersion(facts: VersionFacts, isExperimental: boolean): VersionResponse {
  const shared = {
    ApiVersion: versionText(newestVersion),
    MinAPIVersion: versionText(oldestVersion),
    GitCommit: facts.gitCommit,
    GoVersion: `node${process.versions.node}`,
    Os: 'linux',
    Arch: facts.architecture,
    KernelVersion: facts.kernelVersion,
    BuildTime: facts.buildTime,
  }
  const engine = {
    Name: 'Engine',
    Version: facts.version,
    Details: { ...shared, Experimental: String(isExperimental) },
  }
  return { Platform: { Name: 'Berth' }, Components: [engine, ...facts.components], Version: facts.version, ...shared }
}

/** `GET /info`. */
export function presentInfo(
  facts: InfoFacts,
  containers: readonly Container[],
  images: number,
  version: ApiVersion,
): Omit<InfoResponse, 'ExperimentalBuild'> {
  const count = (...statuses: string[]) => containers.filter(({ state }) => statuses.includes(state.status)).length
  const running = count('running', 'restarting')
  const paused = count('paused')
  return {
    ...facts,
    Containers: containers.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: containers.length - running - paused,
    Images: images,
    SystemTime: nowText(),
    OSType: 'linux',
    OSVersion: '',
    Isolation: '',
    IndexServerAddress: 'https://index.docker.io/v1/',
    GenericResources: null,
    Swarm: noSwarm,
    ...versionedInfo(facts, version),
  }
}

const noSwarm: InfoResponse['Swarm'] = {
  NodeID: '',
  NodeAddr: '',
  LocalNodeState: 'inactive',
  ControlAvailable: false,
  Error: '',
  RemoteManagers: null,
}

/** The fields that some versions have and others lack. */
function versionedInfo(facts: InfoFacts, version: ApiVersion): Partial<InfoResponse> {
  const only = <T>(feature: Parameters<typeof has>[1], value: T): T | undefined =>
    has(version, feature) ? value : undefined
  return {
    KernelMemory: only('infoKernelMemory', true),
    SecurityOptions: has(version, 'infoSecurityNames')
      ? facts.SecurityOptions.map(securityName)
      : facts.SecurityOptions,
    BridgeNfIptables: only('infoBridgeNetfilter', facts.BridgeNfIptables ?? false),
    BridgeNfIp6tables: only('infoBridgeNetfilter', facts.BridgeNfIp6tables ?? false),
    FirewallBackend: only('infoFirewall', facts.FirewallBackend),
    Runtimes: presentRuntimes(facts.Runtimes, version),
    RegistryConfig: facts.RegistryConfig && presentRegistry(facts.RegistryConfig, version),
    ContainerdCommit: presentCommit(facts.ContainerdCommit, version),
    RuncCommit: presentCommit(facts.RuncCommit, version),
    InitCommit: presentCommit(facts.InitCommit, version),
  }
}

/** `seccomp` of `name=seccomp,profile=builtin`. */
const securityName = (option: string): string => /^name=([^,]*)/.exec(option)?.[1] ?? option

function presentRuntimes(runtimes: Record<string, RuntimeInfo>, version: ApiVersion): Record<string, RuntimeInfo> {
  if (has(version, 'runtimeStatus')) return runtimes
  return Object.fromEntries(
    Object.entries(runtimes).map(([name, runtime]) => [name, { ...runtime, status: undefined }]),
  )
}

function presentRegistry(config: RegistryConfigInfo, version: ApiVersion): RegistryConfigInfo {
  if (!has(version, 'infoNondistributable')) return config
  return { ...config, AllowNondistributableArtifactsCIDRs: null, AllowNondistributableArtifactsHostnames: null }
}

function presentCommit({ ID }: CommitInfo, version: ApiVersion): CommitInfo {
  return has(version, 'infoCommitExpected') && ID !== '' ? { ID, Expected: ID } : { ID }
}
