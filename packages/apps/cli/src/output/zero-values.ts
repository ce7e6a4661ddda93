import { nilMap, nilPointer, nilSlice } from '@berth/go-template'
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

const config: Shape = {
  ArgsEscaped: 'boolean',
  Cmd: 'slice',
  Entrypoint: 'slice',
  Env: 'slice',
  ExposedPorts: 'map',
  Healthcheck: 'pointer',
  Labels: 'map',
  MacAddress: 'string',
  NetworkDisabled: 'boolean',
  OnBuild: 'slice',
  Shell: 'slice',
  StopSignal: 'string',
  StopTimeout: 'pointer',
  Volumes: 'map',
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
  MaskedPaths: 'slice',
  MemorySwappiness: 'pointer',
  Mounts: 'slice',
  OomKillDisable: 'pointer',
  PidsLimit: 'pointer',
  PortBindings: 'map',
  ReadonlyPaths: 'slice',
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
    Mounts: 'slice',
    NetworkSettings: { Networks: 'map', Ports: 'map', SecondaryIPAddresses: 'slice', SecondaryIPv6Addresses: 'slice' },
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
    RootFS: { Layers: 'slice' },
    Variant: 'string',
    VirtualSize: 'number',
  },
  network: {
    Containers: 'map',
    IPAM: { Config: 'slice', Options: 'map' },
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
    const zero = Object.hasOwn(shape, key) ? shape[key] : undefined
    return typeof zero === 'string' ? zeros[zero] : byGoName(receiver, key)
  }
}

function note(known: Map<object, Shape>, data: unknown, shape: Shape): void {
  if (typeof data !== 'object' || data === null) return
  known.set(data, shape)
  for (const [field, inner] of Object.entries(shape)) {
    if (typeof inner !== 'string') note(known, (data as Record<string, unknown>)[field], inner)
  }
}
