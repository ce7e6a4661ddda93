import { goElement, type GoFields, goFields, nilMap, nilPointer, nilSlice } from '@berth/go-template'
import { byGoName } from './go-names.ts'
import type { ObjectType } from './inspect.ts'

/**
 * What Go holds in the fields that an object's JSON leaves out or shows as null: templates such as
 * `{{if .State.Health}}` rely on the types behind the JSON.
 */
interface Shape {
  readonly [field: string]: Shape | ZeroKind
}
type ZeroKind = 'slice' | 'map' | 'pointer' | 'string' | 'number' | 'boolean'

/** The shape of every element of a list, or of every value of a map. */
const each = '*'
/** The shapes of which all fields are known, in Go's order: they print as structs. */
const structs = new Set<Shape>()

function struct(shape: Shape): Shape {
  structs.add(shape)
  return shape
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
const endpoint: Shape = {
  Aliases: 'slice',
  DNSNames: 'slice',
  DriverOpts: 'map',
  IPAMConfig: 'pointer',
  Links: 'slice',
}

const config: Shape = {
  ArgsEscaped: 'boolean',
  Cmd: 'slice',
  Entrypoint: 'slice',
  Env: 'slice',
  ExposedPorts: { [each]: empty },
  Healthcheck: 'pointer',
  Labels: 'map',
  MacAddress: 'string',
  NetworkDisabled: 'boolean',
  OnBuild: 'slice',
  Shell: 'slice',
  StopSignal: 'string',
  StopTimeout: 'pointer',
  Volumes: { [each]: empty },
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
  PortBindings: { [each]: { [each]: portBinding } },
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
    GraphDriver: { Data: 'map' },
    HostConfig: hostConfig,
    ImageManifestDescriptor: 'pointer',
    Mounts: { [each]: mountPoint },
    NetworkSettings: {
      Networks: { [each]: endpoint },
      Ports: { [each]: { [each]: portBinding } },
      SecondaryIPAddresses: 'slice',
      SecondaryIPv6Addresses: 'slice',
    },
    SizeRootFs: 'pointer',
    SizeRw: 'pointer',
    State: { Health: 'pointer' },
  },
  image: {
    Author: 'string',
    Comment: 'string',
    Config: config,
    Container: 'string',
    Created: 'string',
    DockerVersion: 'string',
    GraphDriver: { Data: 'map' },
    OsVersion: 'string',
    Parent: 'string',
    RepoDigests: 'slice',
    RepoTags: 'slice',
    RootFS: struct({ Type: 'string', Layers: 'slice' }),
    Variant: 'string',
    VirtualSize: 'number',
  },
  network: {
    Containers: {
      [each]: struct({
        Name: 'string',
        EndpointID: 'string',
        MacAddress: 'string',
        IPv4Address: 'string',
        IPv6Address: 'string',
      }),
    },
    ConfigFrom: struct({ Network: 'string' }),
    IPAM: struct({
      Driver: 'string',
      Options: 'map',
      Config: {
        [each]: struct({ Subnet: 'string', IPRange: 'string', Gateway: 'string', AuxiliaryAddresses: 'map' }),
      },
    }),
    Labels: 'map',
    Options: 'map',
    Peers: 'slice',
    Services: 'map',
  },
  volume: { CreatedAt: 'string', Labels: 'map', Options: 'map', Status: 'map', UsageData: 'pointer' },
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
  if (kind === undefined || structs.has(kind)) return undefined
  const element = kind[each]
  if (element === undefined) return undefined
  return typeof element !== 'string' && element === mountPoint ? nilSlice : nilMap
}

function note(known: Map<object, Shape>, data: unknown, shape: Shape): void {
  if (typeof data !== 'object' || data === null) return
  known.set(data, shape)
  if (structs.has(shape)) Object.defineProperty(data, goFields, { value: fieldsIn(shape) })
  const element = shape[each]
  if (element !== undefined && typeof element !== 'string') {
    // Maps by port have keys of a type of their own, which no template can name: they are left as plain JSON.
    if (element === endpoint) markMap(data, nilPointer)
    for (const one of Object.values(data)) note(known, one, element)
  }
  for (const [field, inner] of Object.entries(shape)) {
    const value = (data as Record<string, unknown>)[field]
    if (inner === 'map') markMap(value, '')
    else if (typeof inner !== 'string' && field !== each) note(known, value, inner)
  }
}

/** A map of Go's: it has something for every key. */
function markMap(map: unknown, zero: unknown): void {
  if (typeof map === 'object' && map !== null) Object.defineProperty(map, goElement, { value: zero })
}

function fieldsIn(shape: Shape): GoFields {
  return new Map(Object.entries(shape).map(([name, kind]) => [name, zeroOf(kind)]))
}
