import type { HealthConfig, HostConfig, Resources } from '@berth/engine-api'
import type { ContainerCreateBody } from '@berth/engine-client'
import type { Parsed } from '../flags/parse-flags.ts'
import type { containerFlags } from './container-flags.ts'
import { isCdiName, parseDevice } from './devices.ts'
import { readEnvironment, readLabels, toRecord } from './key-values.ts'
import { idMapAnnotations } from './mounts.ts'
import { planEndpoints } from './networks.ts'
import { type PortFlags, parsePorts } from './ports.ts'
import { parseRestartPolicy } from './restart-policy.ts'
import { planSecurity } from './security.ts'
import { splitVolumes, type VolumeFlags } from './volumes.ts'

/** The part of a parsed command line that create and run share. */
export type ContainerOptions = Parsed<typeof containerFlags>
type Flags = ContainerOptions['flags']

/** The body of the create for a parsed command line; throws an Error in docker's words. */
export function buildContainerBody(options: ContainerOptions): ContainerCreateBody {
  const { flags } = options
  const requests = flags.network
  const ports = parsePorts(flags.publish, flags.expose)
  const volumes = splitVolumes(flags.volume)
  const body: ContainerCreateBody = {
    ...buildConfig(options, ports, volumes),
    HostConfig: {
      ...buildHostConfig(options, ports, volumes),
      ...buildResources(options),
      NetworkMode: requests[0]?.target ?? 'default',
    },
  }
  refuseConflicts(flags, body)
  refuseWindowsFlags(options)
  return { ...body, NetworkingConfig: { EndpointsConfig: planEndpoints(requests, flags) } }
}

function buildConfig(
  options: ContainerOptions,
  ports: PortFlags,
  volumes: VolumeFlags,
): Omit<ContainerCreateBody, 'HostConfig' | 'NetworkingConfig'> {
  const { flags, args, changed } = options
  const [image = '', ...command] = args
  const attach = attachedStreams(flags)
  return {
    Hostname: flags.hostname,
    Domainname: flags.domainname,
    User: flags.user,
    AttachStdin: attach.has('stdin'),
    AttachStdout: attach.has('stdout'),
    AttachStderr: attach.has('stderr'),
    ...(Object.keys(ports.exposed).length > 0 ? { ExposedPorts: ports.exposed } : {}),
    Tty: flags.tty,
    OpenStdin: flags.interactive,
    StdinOnce: flags.interactive && attach.has('stdin'),
    Env: orNull(readEnvironment(flags.envFile, flags.env)),
    Cmd: orNull(command),
    ...optional('Healthcheck', buildHealthcheck(options)),
    Image: image,
    Volumes: volumes.volumes,
    WorkingDir: flags.workdir,
    Entrypoint: changed('entrypoint') ? [flags.entrypoint] : null,
    OnBuild: null,
    Labels: readLabels(flags.labelFile, flags.label),
    ...optional('StopSignal', flags.stopSignal === '' ? undefined : flags.stopSignal),
    ...optional('StopTimeout', changed('stopTimeout') ? flags.stopTimeout : undefined),
  }
}

/** Without -a, output is attached, and input when it is kept open. */
function attachedStreams(flags: Flags): Set<string> {
  if (flags.attach.length > 0) return new Set(flags.attach)
  return new Set(flags.interactive ? ['stdin', 'stdout', 'stderr'] : ['stdout', 'stderr'])
}

function buildHealthcheck({ flags, changed }: ContainerOptions): HealthConfig | undefined {
  const keys = [
    'healthCmd',
    'healthInterval',
    'healthTimeout',
    'healthStartPeriod',
    'healthStartInterval',
    'healthRetries',
  ] as const
  const given = keys.some((key) => changed(key))
  if (flags.noHealthcheck && given) throw new Error('--no-healthcheck conflicts with --health-* options')
  if (flags.noHealthcheck) return { Test: ['NONE'] }
  if (!given) return undefined
  checkDurations(flags)
  return {
    ...(flags.healthCmd === '' ? {} : { Test: ['CMD-SHELL', flags.healthCmd] }),
    ...nonZero('Interval', flags.healthInterval),
    ...nonZero('Timeout', flags.healthTimeout),
    ...nonZero('StartPeriod', flags.healthStartPeriod),
    ...nonZero('StartInterval', flags.healthStartInterval),
    ...nonZero('Retries', flags.healthRetries),
  }
}

function checkDurations(flags: Flags): void {
  const { healthInterval, healthTimeout, healthRetries, healthStartPeriod, healthStartInterval } = flags
  if (healthInterval < 0) throw new Error('--health-interval cannot be negative')
  if (healthTimeout < 0) throw new Error('--health-timeout cannot be negative')
  if (healthRetries < 0) throw new Error('--health-retries cannot be negative')
  if (healthStartPeriod < 0) throw new Error('--health-start-period cannot be negative')
  if (healthStartInterval < 0) throw new Error('--health-start-interval cannot be negative')
}

function buildHostConfig(
  { flags, changed }: ContainerOptions,
  ports: PortFlags,
  { binds }: VolumeFlags,
): Partial<HostConfig> {
  const security = planSecurity(flags.securityOpt)
  const tmpfs = Object.fromEntries(flags.tmpfs.map(splitTmpfs))
  return {
    Binds: orNull(binds),
    ContainerIDFile: flags.cidfile,
    LogConfig: { Type: flags.logDriver, Config: toRecord(flags.logOpt) },
    PortBindings: ports.bindings,
    RestartPolicy: parseRestartPolicy(flags.restart),
    AutoRemove: flags.rm,
    VolumeDriver: flags.volumeDriver,
    VolumesFrom: orNull(flags.volumesFrom),
    ConsoleSize: [0, 0],
    ...optional('Annotations', nonEmpty({ ...flags.annotation, ...idMapAnnotations(flags.mount) })),
    CapAdd: orNull(capabilities(flags.capAdd)),
    CapDrop: orNull(capabilities(flags.capDrop).filter((name) => !capabilities(flags.capAdd).includes(name))),
    CgroupnsMode: flags.cgroupns as HostConfig['CgroupnsMode'],
    Dns: [...flags.dns],
    DnsOptions: [...flags.dnsOption],
    DnsSearch: [...flags.dnsSearch],
    ExtraHosts: orNull(flags.addHost),
    GroupAdd: orNull(flags.groupAdd),
    IpcMode: flags.ipc,
    Cgroup: '',
    Links: orNull(flags.link),
    OomScoreAdj: flags.oomScoreAdj,
    PidMode: flags.pid,
    Privileged: flags.privileged,
    PublishAllPorts: flags.publishAll,
    ReadonlyRootfs: flags.readOnly,
    SecurityOpt: flags.securityOpt.length > 0 ? security.options : null,
    ...optional('StorageOpt', nonEmpty(toRecord(flags.storageOpt))),
    ...optional('Tmpfs', nonEmpty(tmpfs)),
    UTSMode: flags.uts,
    UsernsMode: flags.userns,
    ShmSize: flags.shmSize,
    ...optional('Sysctls', nonEmpty(flags.sysctl)),
    ...optional('Runtime', flags.runtime === '' ? undefined : flags.runtime),
    Isolation: flags.isolation,
    ...optional('Mounts', flags.mount.length > 0 ? flags.mount.map(({ spec }) => spec) : undefined),
    MaskedPaths: security.unconfinedPaths ? [] : null,
    ReadonlyPaths: security.unconfinedPaths ? [] : null,
    ...optional('Init', changed('init') ? flags.init : undefined),
  }
}

function buildResources({ flags }: ContainerOptions): Partial<Resources> {
  const devices = flags.device.filter((device) => !isCdiName(device)).map(parseDevice)
  const cdi = flags.device.filter(isCdiName)
  const requests = [...flags.gpus, ...(cdi.length > 0 ? [cdiRequest(cdi)] : [])]
  return {
    CpuShares: flags.cpuShares,
    Memory: flags.memory,
    NanoCpus: flags.cpus,
    CgroupParent: flags.cgroupParent,
    BlkioWeight: flags.blkioWeight,
    BlkioWeightDevice: [...flags.blkioWeightDevice],
    BlkioDeviceReadBps: [...flags.deviceReadBps],
    BlkioDeviceWriteBps: [...flags.deviceWriteBps],
    BlkioDeviceReadIOps: [...flags.deviceReadIops],
    BlkioDeviceWriteIOps: [...flags.deviceWriteIops],
    CpuPeriod: flags.cpuPeriod,
    CpuQuota: flags.cpuQuota,
    CpuRealtimePeriod: flags.cpuRtPeriod,
    CpuRealtimeRuntime: flags.cpuRtRuntime,
    CpusetCpus: flags.cpusetCpus,
    CpusetMems: flags.cpusetMems,
    Devices: devices,
    DeviceCgroupRules: orNull(flags.deviceCgroupRule),
    DeviceRequests: orNull(requests),
    ...(flags.kernelMemory === 0 ? {} : { KernelMemory: flags.kernelMemory }),
    MemoryReservation: flags.memoryReservation,
    MemorySwap: flags.memorySwap,
    MemorySwappiness: flags.memorySwappiness,
    OomKillDisable: flags.oomKillDisable,
    PidsLimit: flags.pidsLimit,
    Ulimits: flags.ulimit.toSorted((a, b) => (a.Name < b.Name ? -1 : 1)),
    CpuCount: flags.cpuCount,
    CpuPercent: flags.cpuPercent,
    IOMaximumIOps: flags.ioMaxiops,
    IOMaximumBandwidth: flags.ioMaxbandwidth,
  }
}

function cdiRequest(names: readonly string[]): NonNullable<Resources['DeviceRequests']>[number] {
  return { Driver: 'cdi', Count: 0, DeviceIDs: [...names], Capabilities: null, Options: null }
}

/** What docker's client refuses before it asks the engine. */
function refuseConflicts(flags: Flags, body: ContainerCreateBody): void {
  const { memorySwappiness, logDriver, logOpt } = flags
  if (memorySwappiness < -1 || memorySwappiness > 100) {
    throw new Error(`invalid value: ${memorySwappiness}. Valid memory swappiness range is 0-100`)
  }
  if (logDriver === 'none' && logOpt.length > 0) throw new Error(`invalid logging opts for driver ${logDriver}`)
  const policy = body.HostConfig?.RestartPolicy?.Name ?? ''
  if (flags.rm && policy !== 'no' && policy !== '') {
    throw new Error('conflicting options: cannot specify both --restart and --rm')
  }
  if (!/^(|host|container:.+)$/.test(flags.pid)) throw new Error('--pid: invalid PID mode')
  if (!/^(|host)$/.test(flags.uts)) throw new Error('--uts: invalid UTS mode')
  if (!/^(|host)$/.test(flags.userns)) throw new Error('--userns: invalid USER mode')
  if (!/^(|private|host)$/.test(flags.cgroupns)) throw new Error('--cgroupns: invalid CGROUP mode')
  if (!flags.storageOpt.every((text) => text.includes('='))) throw new Error('invalid storage option')
  if (!flags.disableContentTrust)
    throw new Error('content trust is not supported: leave --disable-content-trust at true')
}

/** `net_admin` and `CAP_NET_ADMIN` are one; sorted, as docker sends them. */
function capabilities(names: readonly string[]): string[] {
  const full = names
    .map((name) => name.trim().toUpperCase())
    .map((name) => {
      return name === 'ALL' || name.startsWith('CAP_') ? name : `CAP_${name}`
    })
  return [...new Set(full)].toSorted()
}

const windowsFlags = {
  cpuCount: '--cpu-count',
  cpuPercent: '--cpu-percent',
  ioMaxbandwidth: '--io-maxbandwidth',
  ioMaxiops: '--io-maxiops',
} as const

function refuseWindowsFlags({ changed }: ContainerOptions): void {
  for (const [key, name] of Object.entries(windowsFlags)) {
    if (changed(key as keyof typeof windowsFlags)) throw new Error(`"${name}" is only supported by engines on Windows`)
  }
}

function splitTmpfs(text: string): [path: string, options: string] {
  const colon = text.indexOf(':')
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
}

function orNull<T>(values: readonly T[]): T[] | null {
  return values.length > 0 ? [...values] : null
}

function nonEmpty(record: Readonly<Record<string, string>>): Record<string, string> | undefined {
  return Object.keys(record).length > 0 ? { ...record } : undefined
}

function nonZero(key: string, value: number): Record<string, number> {
  return value === 0 ? {} : { [key]: value }
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V })
}
