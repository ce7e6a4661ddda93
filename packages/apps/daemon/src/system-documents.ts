import type { InfoResponse, VersionResponse } from '@berth/engine-api'
import type { HostFacts, Runtime } from '@berth/runtime'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Config } from './config/config.ts'

export const engineVersion = '0.1.0'
const apiVersion = '1.51'
const minApiVersion = '1.24'

export interface SystemFacts {
  readonly engineId: string
  readonly config: () => Config
  readonly facts: HostFacts
  readonly runtime: Pick<Runtime, 'runtimes' | 'defaultRuntime'>
  readonly dataRoot: string
  readonly storageDriver: string
  readonly backingFileSystem: string
  /** Of the OCI runtime and the init, by name; '' unknown. */
  readonly versions: Readonly<Record<string, string>>
  readonly counts: () => {
    readonly running: number
    readonly paused: number
    readonly stopped: number
    readonly images: number
  }
}

/** `GET /version`. */
export function versionDocument({ facts, versions }: SystemFacts): VersionResponse {
  const { architecture, kernelVersion } = facts
  const details = {
    ApiVersion: apiVersion,
    Arch: architecture,
    Experimental: 'false',
    GitCommit: '',
    GoVersion: '',
    KernelVersion: kernelVersion.release,
    MinAPIVersion: minApiVersion,
    Os: 'linux',
  }
  const others = Object.entries(versions).map(([Name, Version]) => ({ Name, Version, Details: { GitCommit: '' } }))
  return {
    Platform: { Name: 'Berth' },
    Components: [{ Name: 'Engine', Version: engineVersion, Details: details }, ...others],
    Version: engineVersion,
    ApiVersion: apiVersion,
    MinAPIVersion: minApiVersion,
    GitCommit: '',
    GoVersion: '',
    Os: 'linux',
    Arch: architecture,
    KernelVersion: kernelVersion.release,
  }
}

/** `GET /info`. */
export async function infoDocument(system: SystemFacts): Promise<InfoResponse> {
  const { facts, runtime } = system
  const config = system.config()
  const { running, paused, stopped, images } = system.counts()
  const { cgroup } = facts
  return {
    ID: system.engineId,
    Containers: running + paused + stopped,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: stopped,
    Images: images,
    Driver: system.storageDriver,
    DriverStatus: driverStatus(system),
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'null'],
      Authorization: null,
      Log: ['json-file', 'local', 'none'],
    },
    MemoryLimit: cgroup.hasMemoryLimit,
    SwapLimit: cgroup.hasSwapLimit,
    KernelMemory: cgroup.hasKernelMemory,
    KernelMemoryTCP: cgroup.hasKernelMemoryTcp,
    CpuCfsPeriod: cgroup.hasCpuCfs,
    CpuCfsQuota: cgroup.hasCpuCfs,
    CPUShares: cgroup.hasCpuShares,
    CPUSet: cgroup.hasCpuset,
    PidsLimit: cgroup.hasPidsLimit,
    IPv4Forwarding: true,
    BridgeNfIptables: false,
    BridgeNfIp6tables: false,
    Debug: config.get('debug', false),
    NFd: 0,
    OomKillDisable: cgroup.hasOomKillDisable,
    NGoroutines: 0,
    SystemTime: new Date().toISOString(),
    LoggingDriver: config.get('log-driver', 'json-file'),
    CgroupDriver: 'cgroupfs',
    CgroupVersion: String(cgroup.version),
    NEventsListener: 0,
    ...(await operatingSystem()),
    KernelVersion: facts.kernelVersion.release,
    OSType: 'linux',
    Architecture: machineName(facts.architecture),
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: registryConfig(config),
    NCPU: facts.cpuCount,
    MemTotal: facts.memoryBytes,
    GenericResources: null,
    DockerRootDir: system.dataRoot,
    HttpProxy: '',
    HttpsProxy: '',
    NoProxy: '',
    Name: hostname(),
    Labels: [...config.get('labels', [] as readonly string[])],
    ExperimentalBuild: false,
    ServerVersion: engineVersion,
    Runtimes: Object.fromEntries(
      Object.entries(runtime.runtimes).map(([name, { path, args }]) => [
        name,
        { path, ...(args.length > 0 ? { runtimeArgs: [...args] } : {}) },
      ]),
    ),
    DefaultRuntime: runtime.defaultRuntime,
    Swarm: inactiveSwarm,
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: facts.initPath?.split('/').at(-1) ?? '',
    ContainerdCommit: { ID: '', Expected: '' },
    RuncCommit: { ID: '', Expected: '' },
    InitCommit: { ID: '', Expected: '' },
    SecurityOptions: securityOptions(system),
    FirewallBackend: { Driver: 'nftables' },
    CDISpecDirs: [],
    Warnings: null,
  }
}

const inactiveSwarm: InfoResponse['Swarm'] = {
  NodeID: '',
  NodeAddr: '',
  LocalNodeState: 'inactive',
  ControlAvailable: false,
  Error: '',
  RemoteManagers: null,
}

function driverStatus({ backingFileSystem, storageDriver }: SystemFacts): [string, string][] {
  const backing: [string, string] = ['Backing Filesystem', backingFileSystem]
  if (storageDriver !== 'overlay2') return [backing]
  return [backing, ['Supports d_type', 'true'], ['Using metacopy', 'false'], ['Native Overlay Diff', 'true'], ['userxattr', 'false']]
}

function securityOptions({ facts, config }: SystemFacts): string[] {
  const profile = config().get('seccomp-profile', 'builtin') || 'builtin'
  return [
    ...(facts.hasAppArmor ? ['name=apparmor'] : []),
    ...(facts.hasSeccomp ? [`name=seccomp,profile=${profile}`] : []),
    ...(facts.cgroup.version === 2 ? ['name=cgroupns'] : []),
    ...(config().get('no-new-privileges', false) ? ['name=no-new-privileges'] : []),
  ]
}

function registryConfig(config: Config): NonNullable<InfoResponse['RegistryConfig']> {
  const Mirrors = [...config.get('registry-mirrors', [] as readonly string[])]
  return {
    IndexConfigs: { 'docker.io': { Name: 'docker.io', Mirrors, Secure: true, Official: true } },
    InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8'],
    Mirrors: Mirrors.length > 0 ? Mirrors : null,
  }
}

/** The kernel's word for Go's. */
function machineName(architecture: string): string {
  const names: Readonly<Record<string, string>> = { amd64: 'x86_64', arm64: 'aarch64' }
  return names[architecture] ?? architecture
}

async function operatingSystem(): Promise<{ OperatingSystem: string; OSVersion: string }> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const value = (name: string) => new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1] ?? ''
  return { OperatingSystem: value('PRETTY_NAME') || 'Linux', OSVersion: value('VERSION_ID') }
}
