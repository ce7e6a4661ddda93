import {
  goElement,
  type GoFields,
  GoDuration,
  goFields,
  goKey,
  GoTime,
  nilMap,
  nilPointer,
  nilSlice,
} from '@berth/go-template'
import { byGoName } from './go-names.ts'
import type { ObjectType } from './inspect.ts'

/**
 * What Go holds in the fields that an object's JSON leaves out or shows as null: templates such as
 * `{{if .State.Health}}` rely on the types behind the JSON.
 */
interface Shape {
  readonly [field: string]: Shape | ZeroKind
}
type ZeroKind = 'slice' | 'map' | 'pointer' | 'string' | 'number' | 'boolean' | 'time' | 'duration'

/** The shape of every element of a list, or of every value of a map. */
const each = '*'
/** The shapes of which all fields are known, in Go's order: they print as structs. */
const structs = new Set<Shape>()

function struct(shape: Shape): Shape {
  structs.add(shape)
  return shape
}

/** The shapes of lists; those of maps look alike. */
const lists = new Set<Shape>()

function listOf(element: Shape): Shape {
  const list: Shape = { [each]: element }
  lists.add(list)
  return list
}

/** The shapes of what pointers lead to: nil where they are absent. */
const pointed = new Set<Shape>()

function pointerTo(shape: Shape): Shape {
  pointed.add(shape)
  return shape
}

/** Maps whose keys are `80/tcp`, of a type of their own. */
const byPort = new Set<Shape>()

function mapByPort(element: Shape): Shape {
  const map: Shape = { [each]: element }
  byPort.add(map)
  return map
}

const portBinding = struct({ HostIp: 'string', HostPort: 'string' })
const empty = struct({})
const mountPoint = struct({
  Type: 'string',
  Name: 'string',
  Source: 'string',
  Destination: 'string',
  Driver: 'string',
  Mode: 'string',
  RW: 'boolean',
  Propagation: 'string',
})
const endpoint = struct({
  IPAMConfig: 'pointer',
  Links: 'slice',
  Aliases: 'slice',
  MacAddress: 'string',
  DriverOpts: 'map',
  GwPriority: 'number',
  NetworkID: 'string',
  EndpointID: 'string',
  Gateway: 'string',
  IPAddress: 'string',
  IPPrefixLen: 'number',
  IPv6Gateway: 'string',
  GlobalIPv6Address: 'string',
  GlobalIPv6PrefixLen: 'number',
  DNSNames: 'slice',
})
const graphDriver = struct({ Data: 'map', Name: 'string' })

const healthcheck = pointerTo(
  struct({
    Test: 'slice',
    Interval: 'duration',
    Timeout: 'duration',
    StartPeriod: 'duration',
    StartInterval: 'duration',
    Retries: 'number',
  }),
)
const health = pointerTo(
  struct({
    Status: 'string',
    FailingStreak: 'number',
    Log: listOf(struct({ Start: 'time', End: 'time', ExitCode: 'number', Output: 'string' })),
  }),
)

const config = struct({
  Hostname: 'string',
  Domainname: 'string',
  User: 'string',
  AttachStdin: 'boolean',
  AttachStdout: 'boolean',
  AttachStderr: 'boolean',
  ExposedPorts: mapByPort(empty),
  Tty: 'boolean',
  OpenStdin: 'boolean',
  StdinOnce: 'boolean',
  Env: 'slice',
  Cmd: 'slice',
  Healthcheck: healthcheck,
  ArgsEscaped: 'boolean',
  Image: 'string',
  Volumes: { [each]: empty },
  WorkingDir: 'string',
  Entrypoint: 'slice',
  NetworkDisabled: 'boolean',
  MacAddress: 'string',
  OnBuild: 'slice',
  Labels: 'map',
  StopSignal: 'string',
  StopTimeout: 'pointer',
  Shell: 'slice',
})

const state = struct({
  Status: 'string',
  Running: 'boolean',
  Paused: 'boolean',
  Restarting: 'boolean',
  OOMKilled: 'boolean',
  Dead: 'boolean',
  Pid: 'number',
  ExitCode: 'number',
  Error: 'string',
  StartedAt: 'string',
  FinishedAt: 'string',
  Health: health,
})

/** What an image configures: Go holds it in two structs, one within the other, and prints it as such. */
const imageConfig: Shape = {
  ArgsEscaped: 'boolean',
  Cmd: 'slice',
  Entrypoint: 'slice',
  Env: 'slice',
  ExposedPorts: { [each]: empty },
  Healthcheck: healthcheck,
  Labels: 'map',
  OnBuild: 'slice',
  Shell: 'slice',
  StopSignal: 'string',
  User: 'string',
  Volumes: { [each]: empty },
  WorkingDir: 'string',
}

const hostConfig: Shape = {
  Annotations: 'map',
  Binds: 'slice',
  BlkioDeviceReadBps: 'slice',
  BlkioDeviceReadIOps: 'slice',
  BlkioDeviceWriteBps: 'slice',
  BlkioDeviceWriteIOps: 'slice',
  BlkioWeightDevice: 'slice',
  CapAdd: 'slice',
  CapDrop: 'slice',
  DeviceCgroupRules: 'slice',
  DeviceRequests: 'slice',
  Devices: 'slice',
  Dns: 'slice',
  DnsOptions: 'slice',
  DnsSearch: 'slice',
  ExtraHosts: 'slice',
  GroupAdd: 'slice',
  Init: 'pointer',
  KernelMemory: 'number',
  KernelMemoryTCP: 'number',
  Links: 'slice',
  LogConfig: struct({ Type: 'string', Config: 'map' }),
  MaskedPaths: 'slice',
  MemorySwappiness: 'pointer',
  Mounts: 'slice',
  OomKillDisable: 'pointer',
  PidsLimit: 'pointer',
  PortBindings: mapByPort(listOf(portBinding)),
  ReadonlyPaths: 'slice',
  RestartPolicy: struct({ Name: 'string', MaximumRetryCount: 'number' }),
  Runtime: 'string',
  SecurityOpt: 'slice',
  StorageOpt: 'map',
  Sysctls: 'map',
  Tmpfs: 'map',
  Ulimits: 'slice',
  VolumesFrom: 'slice',
}

const shapes: Record<ObjectType, Shape> = {
  container: {
    Config: config,
    ExecIDs: 'slice',
    GraphDriver: graphDriver,
    HostConfig: hostConfig,
    ImageManifestDescriptor: 'pointer',
    Mounts: listOf(mountPoint),
    NetworkSettings: {
      Networks: { [each]: endpoint },
      Ports: mapByPort(listOf(portBinding)),
      SecondaryIPAddresses: 'slice',
      SecondaryIPv6Addresses: 'slice',
    },
    SizeRootFs: 'pointer',
    SizeRw: 'pointer',
    State: state,
  },
  image: {
    Author: 'string',
    Comment: 'string',
    Config: imageConfig,
    Container: 'string',
    Created: 'string',
    Descriptor: 'pointer',
    DockerVersion: 'string',
    GraphDriver: graphDriver,
    Manifests: 'slice',
    Metadata: struct({ LastTagTime: 'time' }),
    OsVersion: 'string',
    Parent: 'string',
    RepoDigests: 'slice',
    RepoTags: 'slice',
    RootFS: struct({ Type: 'string', Layers: 'slice' }),
    Variant: 'string',
    VirtualSize: 'number',
  },
  network: struct({
    Name: 'string',
    Id: 'string',
    Created: 'time',
    Scope: 'string',
    Driver: 'string',
    EnableIPv4: 'boolean',
    EnableIPv6: 'boolean',
    IPAM: struct({
      Driver: 'string',
      Options: 'map',
      Config: listOf(struct({ Subnet: 'string', IPRange: 'string', Gateway: 'string', AuxiliaryAddresses: 'map' })),
    }),
    Internal: 'boolean',
    Attachable: 'boolean',
    Ingress: 'boolean',
    ConfigFrom: struct({ Network: 'string' }),
    ConfigOnly: 'boolean',
    Containers: {
      [each]: struct({
        Name: 'string',
        EndpointID: 'string',
        MacAddress: 'string',
        IPv4Address: 'string',
        IPv6Address: 'string',
      }),
    },
    Options: 'map',
    Labels: 'map',
    Peers: 'slice',
    Services: 'map',
  }),
  volume: struct({
    ClusterVolume: 'pointer',
    CreatedAt: 'string',
    Driver: 'string',
    Labels: 'map',
    Mountpoint: 'string',
    Name: 'string',
    Options: 'map',
    Scope: 'string',
    Status: 'map',
    UsageData: 'pointer',
  }),
  plugin: {},
  context: { Metadata: { Description: 'string' } },
}

const zeros: Record<ZeroKind, unknown> = {
  slice: nilSlice,
  map: nilMap,
  pointer: nilPointer,
  string: '',
  number: 0,
  boolean: false,
  time: new GoTime('0001-01-01T00:00:00Z'),
  duration: new GoDuration(0),
}

/** Looks up the zero value of an absent or null field of one described object. */
export function zeroValues(type: ObjectType, data: unknown): (receiver: object, key: string) => unknown {
  const known = new Map<object, Shape>()
  note(known, data, shapes[type])
  return (receiver, key) => {
    const shape = known.get(receiver) ?? {}
    const zero = Object.hasOwn(shape, key) ? zeroOf(shape[key]) : undefined
    return zero ?? byGoName(receiver, key)
  }
}

/** Go's nil or zero for a field; undefined for a struct, which is always there. */
function zeroOf(kind: Shape | ZeroKind | undefined): unknown {
  if (typeof kind === 'string') return zeros[kind]
  if (kind === undefined) return undefined
  if (pointed.has(kind)) return nilPointer
  if (structs.has(kind)) return undefined
  if (kind[each] === undefined) return undefined
  return lists.has(kind) ? nilSlice : nilMap
}

function note(known: Map<object, Shape>, data: unknown, shape: Shape): void {
  if (typeof data !== 'object' || data === null) return
  known.set(data, shape)
  if (structs.has(shape)) Object.defineProperty(data, goFields, { value: fieldsIn(shape) })
  if (byPort.has(shape)) Object.defineProperty(data, goKey, { value: 'nat.Port' })
  const element = shape[each]
  if (element !== undefined && typeof element !== 'string') {
    if (element === endpoint) markMap(data, nilPointer)
    noteElements(known, data as Record<string, unknown>, element)
  }
  for (const [field, inner] of Object.entries(shape)) {
    const value = (data as Record<string, unknown>)[field]
    if (inner === 'map') markMap(value, '')
    else if (inner === 'time' || inner === 'duration') setTyped(data as Record<string, unknown>, field, inner)
    else if (typeof inner !== 'string' && field !== each) note(known, value, inner)
  }
}

function setTyped(data: Record<string, unknown>, field: string, kind: 'time' | 'duration'): void {
  const value = data[field]
  if (kind === 'time' && typeof value === 'string') data[field] = new GoTime(value)
  if (kind === 'duration' && typeof value === 'number') data[field] = new GoDuration(value)
}

function noteElements(known: Map<object, Shape>, data: Record<string, unknown>, element: Shape): void {
  for (const [key, one] of Object.entries(data)) {
    if (one === null) data[key] = zeroOf(element) ?? null
    else note(known, one, element)
  }
}

/** A map of Go's: it has something for every key. */
function markMap(map: unknown, zero: unknown): void {
  if (typeof map === 'object' && map !== null) Object.defineProperty(map, goElement, { value: zero })
}

function fieldsIn(shape: Shape): GoFields {
  return new Map(Object.entries(shape).map(([name, kind]) => [name, zeroOf(kind)]))
}
