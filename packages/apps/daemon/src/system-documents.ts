import type { InfoFacts, VersionFacts } from '@berth/api'
import type { Events } from '@berth/events'
import { layerCompressor } from '@berth/images'
import type { HostFacts, Runtime } from '@berth/runtime'
import { readdir, readFile } from 'node:fs/promises'
import type { Config } from './config/config.ts'
import { registrySettings } from './registry-settings.ts'
import { engineVersion } from './version.ts'
import type { AddressPoolEntry } from './config/values.ts'

export interface SystemFacts {
  readonly engineId: string
  readonly config: () => Config
  readonly facts: HostFacts
  readonly runtime: Pick<Runtime, 'runtimes' | 'defaultRuntime'>
  readonly dataRoot: string
  readonly storageDriver: string
  /** What of the host keeps networks from working. */
  readonly networkWarnings: () => Promise<string[]>
  readonly backingFileSystem: string
  readonly events: Pick<Events, 'subscriberCount'>
  /** Of the OCI runtime and the init, by name; '' unknown. */
  readonly versions: Readonly<Record<string, string>>
}

/** What `/version` says of the engine and of the programs it uses. */
export function versionFacts({ facts, versions }: SystemFacts): VersionFacts {
  return {
    version: engineVersion,
    gitCommit: '',
    kernelVersion: facts.kernelVersion.release,
    architecture: facts.architecture,
    buildTime: '',
    components: Object.entries(versions).map(([Name, Version]) => ({ Name, Version, Details: { GitCommit: '' } })),
  }
}

/** What `/info` says beyond counts and constants. */
export async function infoFacts(system: SystemFacts): Promise<InfoFacts> {
  const { facts } = system
  const config = system.config()
  const warnings = await system.networkWarnings()
  return {
    ...identity(system),
    ...limits(facts),
    ...runtimes(system),
    Driver: system.storageDriver,
    DriverStatus: driverStatus(system),
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'ipvlan', 'macvlan', 'null'],
      Authorization: null,
      Log: ['json-file', 'local', 'none'],
    },
    ...addressPools(config),
    IPv4Forwarding: (await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8')).trim() === '1',
    BridgeNfIptables: false,
    BridgeNfIp6tables: false,
    Debug: config.get('debug', false),
    NFd: (await readdir('/proc/self/fd')).length,
    // Go's own; Node has nothing of the kind.
    NGoroutines: 0,
    NEventsListener: system.events.subscriberCount,
    LoggingDriver: config.get('log-driver', 'json-file'),
    OperatingSystem: await operatingSystem(),
    RegistryConfig: registryConfig(config),
    ...proxies(config),
    LiveRestoreEnabled: true,
    SecurityOptions: securityOptions(system),
    FirewallBackend: { Driver: 'nftables' },
    CDISpecDirs: [],
    Warnings: warnings.length > 0 ? warnings : null,
  }
}

function identity({ engineId, facts, dataRoot, config }: SystemFacts) {
  return {
    ID: engineId,
    Name: facts.hostname,
    Labels: [...config().get('labels', [] as readonly string[])],
    ServerVersion: engineVersion,
    DockerRootDir: dataRoot,
    KernelVersion: facts.kernelVersion.release,
    Architecture: machineName(facts.architecture),
    NCPU: facts.cpuCount,
    MemTotal: facts.memoryBytes,
  }
}

function limits({ cgroup }: HostFacts) {
  return {
    MemoryLimit: cgroup.hasMemoryLimit,
    SwapLimit: cgroup.hasSwapLimit,
    KernelMemory: cgroup.hasKernelMemory,
    KernelMemoryTCP: cgroup.hasKernelMemoryTcp,
    CpuCfsPeriod: cgroup.hasCpuCfs,
    CpuCfsQuota: cgroup.hasCpuCfs,
    CPUShares: cgroup.hasCpuShares,
    CPUSet: cgroup.hasCpuset,
    PidsLimit: cgroup.hasPidsLimit,
    OomKillDisable: cgroup.hasOomKillDisable,
    CgroupDriver: 'cgroupfs',
    CgroupVersion: String(cgroup.version),
  }
}

function runtimes({ runtime, facts, versions }: SystemFacts) {
  const commit = (program: string) => ({ ID: versions[program] ?? '' })
  const entries = Object.entries(runtime.runtimes).map(([name, { path, args }]) => {
    return [name, { path, ...(args.length > 0 ? { runtimeArgs: [...args] } : {}) }] as const
  })
  return {
    Runtimes: Object.fromEntries(entries),
    DefaultRuntime: runtime.defaultRuntime,
    InitBinary: facts.initPath?.split('/').at(-1) ?? '',
    ContainerdCommit: { ID: '' },
    RuncCommit: commit(runtime.defaultRuntime),
    InitCommit: commit('docker-init'),
  }
}

function driverStatus({ backingFileSystem, storageDriver }: SystemFacts): [string, string][] {
  const always: [string, string][] = [
    ['Backing Filesystem', backingFileSystem],
    ['Layer Compressor', layerCompressor()],
  ]
  if (storageDriver !== 'overlay2') return always
  return [
    ...always,
    ['Supports d_type', 'true'],
    ['Using metacopy', 'false'],
    ['Native Overlay Diff', 'true'],
    ['userxattr', 'false'],
  ]
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

function proxies(config: Config): Pick<InfoFacts, 'HttpProxy' | 'HttpsProxy' | 'NoProxy'> {
  const { http, https, no } = registrySettings(config).proxies
  return { HttpProxy: masked(http), HttpsProxy: masked(https), NoProxy: no }
}

/** A proxy's password is nobody's business. */
const masked = (url: string): string => url.replace(/^([a-z]+:\/\/)[^/@]*@/i, '$1xxxxx:xxxxx@')

/** Registries as Docker tells of them: mirrors of its Hub, hosts and networks that may do without TLS. */
function registryConfig(config: Config): NonNullable<InfoFacts['RegistryConfig']> {
  const { insecure, mirrors } = registrySettings(config)
  const Mirrors = mirrors.filter(({ domain }) => domain === 'docker.io').map(({ url }) => `${url}/`)
  const networks = insecure.filter((text) => text.includes('/'))
  const hosts = insecure.filter((text) => !text.includes('/'))
  const others = hosts.map((Name) => [Name, { Name, Mirrors: [], Secure: false, Official: false }] as const)
  return {
    IndexConfigs: {
      'docker.io': { Name: 'docker.io', Mirrors, Secure: true, Official: true },
      ...Object.fromEntries(others),
    },
    InsecureRegistryCIDRs: [...new Set(['::1/128', '127.0.0.0/8', ...networks])],
    Mirrors: Mirrors.length > 0 ? Mirrors : null,
  }
}

/** Only what was configured is told. */
function addressPools(config: Config): Pick<InfoFacts, 'DefaultAddressPools'> {
  const pools = config.get('default-address-pools', [] as readonly AddressPoolEntry[])
  if (pools.length === 0) return {}
  return { DefaultAddressPools: pools.map(({ base, size }) => ({ Base: base, Size: size })) }
}

/** The kernel's word for Go's. */
function machineName(architecture: string): string {
  const names: Readonly<Record<string, string>> = { amd64: 'x86_64', arm64: 'aarch64' }
  return names[architecture] ?? architecture
}

async function operatingSystem(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '')
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(text)?.[1] || 'Linux'
}
