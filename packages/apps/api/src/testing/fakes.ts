import { type ContainerId, type ExecId, notFound, silentLogger, zeroTime } from '@berth/base'
import type { Builder } from '@berth/builder'
import type { Buildkit } from '@berth/buildkit'
import type { Container, Containers } from '@berth/containers'
import { decodeContainerCreate, emptyEndpoint } from '@berth/engine-api'
import type { Events } from '@berth/events'
import type { Image, Images } from '@berth/images'
import type { Networks } from '@berth/networks'
import type { Digest } from '@berth/oci'
import type { Volumes } from '@berth/volumes'
import { type ApiDeps, createApi } from '../index.ts'
import type { InfoFacts } from '../deps.ts'
import { apiClient, type ApiClient } from './client.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const containerId = 'c0ffee'.padEnd(64, '0') as ContainerId
export const execId = 'eeec'.padEnd(64, '0') as ExecId
export const imageId = `sha256:${'1a'.repeat(32)}` as Digest

/** A container as the service would store it. */
export function fakeContainer(changes: Partial<Container> = {}): Container {
  const { config, hostConfig } = decodeContainerCreate({ Image: 'busybox', Cmd: ['sleep', '10'] }, 51)
  return {
    id: containerId,
    name: 'web',
    createdAt: '2026-01-02T03:04:05.678901234Z',
    args: ['sleep', '10'],
    imageId,
    manifest: imageId,
    platform: { os: 'linux', architecture: 'amd64' },
    config: { ...config, Hostname: 'c0ffee000000' },
    hostConfig,
    state: {
      status: 'running',
      pid: 42,
      exitCode: 0,
      oomKilled: false,
      error: '',
      startedAt: '2026-01-02T03:04:06Z',
      finishedAt: zeroTime,
    },
    restartCount: 0,
    requestedEndpoints: {},
    endpoints: { bridge: { ...emptyEndpoint(), IPAddress: '172.17.0.2', EndpointID: 'ep' } },
    mounts: [],
    stoppedByUser: false,
    hasBeenStarted: true,
    appArmorProfile: '',
    execIds: [],
    ...changes,
  }
}

export function fakeImage(changes: Partial<Image> = {}): Image {
  return {
    id: imageId,
    config: {
      os: 'linux',
      architecture: 'amd64',
      created: '2026-01-01T00:00:00Z',
      config: { Cmd: ['sh'], Env: ['PATH=/bin'] },
      rootfs: { type: 'layers', diff_ids: [imageId] },
      history: [{ comment: 'Imported from -' }],
    },
    manifest: imageId,
    chainId: imageId,
    repoTags: ['busybox:latest'],
    repoDigests: [],
    sizeBytes: 1000,
    parent: '',
    lastTaggedAt: '2026-01-01T00:00:01Z',
    ...changes,
  }
}

function unexpected(name: string): never {
  throw new Error(`${name} was not expected`)
}

/** An object whose missing methods say so when they are called. */
function partial<T extends object>(name: string, methods: Partial<T>): T {
  return new Proxy(methods as T, {
    get: (target, key) => Reflect.get(target, key) ?? (() => unexpected(`${name}.${String(key)}`)),
  })
}

const defaultContainers: Partial<Containers> = {
  get(ref) {
    const container = fakeContainer()
    if (ref === 'web' || container.id.startsWith(ref)) return container
    throw notFound(`No such container: ${ref}`)
  },
  list: () => Promise.resolve([fakeContainer()]),
  logPath: () => '/log',
  files: () => ({ resolvConfPath: '/resolv.conf', hostnamePath: '/hostname', hostsPath: '/hosts' }),
  network: () => ({
    sandboxId: 'sandbox',
    sandboxKey: '/netns',
    ports: { '80/tcp': [{ HostIp: '::', HostPort: '8080' }] },
  }),
  graphDriver: () => ({ Name: 'overlay2', Data: null }),
  anticipateExec: () => {},
  size: () => Promise.resolve({ sizeRwBytes: 5, sizeRootFsBytes: 1005 }),
}

const defaultImages: Partial<Images> = {
  resolve(reference) {
    return reference === 'busybox' || reference === imageId
      ? Promise.resolve(fakeImage())
      : Promise.reject(notFound(`No such image: ${reference}:latest`))
  },
  list: () => Promise.resolve([fakeImage()]),
  graphDriver: () => ({ Name: 'overlay2', Data: { UpperDir: '/layers/1/fs' } }),
  history: () => Promise.resolve([{ Id: imageId, Created: 1, CreatedBy: '', Tags: null, Size: 1000, Comment: '' }]),
}

export interface FakeServices {
  readonly containers?: Partial<Containers>
  readonly images?: Partial<Images>
  readonly events?: Partial<Events>
  readonly volumes?: Partial<Volumes>
  readonly builder?: Partial<Builder>
  readonly buildkit?: Partial<Buildkit>
  readonly networks?: Partial<Networks>
}

export function fakeDeps(services: FakeServices = {}): ApiDeps {
  const { containers, images, events, volumes, builder, buildkit, networks } = services
  return {
    containers: partial<Containers>('containers', { ...defaultContainers, ...containers }),
    images: partial<Images>('images', { ...defaultImages, ...images }),
    events: partial<Events>('events', { ...events }),
    volumes: partial<Volumes>('volumes', { list: () => [], users: () => new Map(), ...volumes }),
    builder: partial<Builder>('builder', { cacheRecords: async () => [], ...builder }),
    buildkit: async () => partial<Buildkit>('buildkit', buildkit ?? {}),
    check: async () => [],
    eventFilter: () => () => true,
    networks: partial<Networks>('networks', { ...fakeNetworks, ...networks }),
    system: {
      version: () => ({
        version: '1.2.3',
        gitCommit: 'abc',
        kernelVersion: '6.1',
        architecture: 'amd64',
        buildTime: '',
        components: [],
      }),
      info: () => fakeInfo,
      builderVersion: () => '2',
      layersSize: () => 1000,
    },
    log: silentLogger,
    version: '1.2.3',
    isExperimental: false,
  }
}

const fakeNetworks: Partial<Networks> = {
  list: () => [fakeNetwork('bridge', 'b1'), fakeNetwork('host', 'b2'), fakeNetwork('none', 'c3')],
  describe(ref) {
    if (ref === 'a/b' || ref === 'bridge') return fakeNetwork(ref, 'b1')
    throw notFound(`network ${ref} not found`)
  },
}

const fakeNetwork = (name: string, prefix: string) => ({
  Name: name,
  Id: prefix.padEnd(64, '0'),
  Created: '2026-01-01T00:00:00Z',
  Scope: 'local',
  Driver: name,
  EnableIPv4: true,
  EnableIPv6: false,
  IPAM: { Driver: 'default', Options: null, Config: null },
  Internal: false,
  Attachable: false,
  Ingress: false,
  ConfigFrom: { Network: '' },
  ConfigOnly: false,
  Containers: { x: { Name: 'web', EndpointID: '', MacAddress: '', IPv4Address: '', IPv6Address: '' } },
  Options: {},
  Labels: {},
})

const commit = { ID: 'c1' }
const fakeInfo = {
  Runtimes: { crun: { path: 'crun', status: { features: '{}' } } },
  RegistryConfig: { InsecureRegistryCIDRs: [], IndexConfigs: {}, Mirrors: null },
  FirewallBackend: { Driver: 'nftables' },
  BridgeNfIptables: true,
  ContainerdCommit: commit,
  RuncCommit: commit,
  InitCommit: commit,
} as unknown as InfoFacts

/** An API with the given services on a socket of its own; disposal closes and removes it. */
export async function serve(
  services: FakeServices = {},
): Promise<ApiClient & AsyncDisposable & { close(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-api-'))
  const path = join(directory, 'api.sock')
  const api = createApi(fakeDeps(services))
  await api.listen({ kind: 'unix', path })
  return {
    ...apiClient(path),
    close: () => api.close(),
    async [Symbol.asyncDispose]() {
      await api.close(0)
      await rm(directory, { recursive: true, force: true })
    },
  }
}
