import assert from 'node:assert/strict'
import { notFound, silentLogger } from '@berth/base'
import { type Database, openDatabase } from '@berth/database'
import { createEvents } from '@berth/events'
import type { Image, Images } from '@berth/images'
import type { Attachment, Networks } from '@berth/networks'
import { sha256 } from '@berth/oci'
import { testFacts } from '@berth/runtime'
import type { Snapshots } from '@berth/storage'
import type { Volumes } from '@berth/volumes'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openContainers } from '../open-containers.ts'
import type { DaemonDefaults } from '../plan/types.ts'
import { FakeRuntime } from './fake-runtime.ts'

/** An aggregate on fakes; `reopen()` is what a new berthd sees of the same machine. */
export async function openForTest() {
  const directory = mkdtempSync(join(tmpdir(), 'berth-containers-'))
  const database = openDatabase(':memory:')
  const runtime = new FakeRuntime()
  const events = createEvents()
  const mounted = new Set<string>()
  const prepared = new Set<string>()
  const attached = new Set<string>()
  const unpacked: string[] = []
  const open = () =>
    openContainers({
      database,
      runtime,
      events,
      directory,
      facts: testFacts,
      logger: silentLogger,
      images: fakeImages(unpacked),
      snapshots: fakeSnapshots(mounted, prepared, directory),
      volumes: fakeVolumes(),
      copies: { openFiles: () => assert.fail('no test of the aggregate copies files') },
      networks: fakeNetworks(attached, directory),
      readLogs: async function* () {},
      defaults: () => defaults,
    })
  const containers = await open()
  await containers.reconcile()
  return {
    runtime,
    events,
    mounted,
    prepared,
    attached,
    database,
    directory,
    unpacked,
    containers,
    reopen: open,
    [Symbol.dispose]: () => close(database, directory),
  }
}

function close(database: Database, directory: string): void {
  database[Symbol.dispose]()
  rmSync(directory, { recursive: true, force: true })
}

const defaults: DaemonDefaults = {
  logConfig: { Type: 'json-file', Config: {} },
  ulimits: {},
  init: false,
  shmSizeBytes: 64 * 2 ** 20,
  ipcMode: 'private',
  cgroupnsMode: '',
  noNewPrivileges: false,
  seccompProfile: 'unconfined',
  runtimes: ['crun'],
  cgroupParent: '/docker',
  cgroupDriver: 'cgroupfs',
  dataRoot: '/var/lib/berth',
}

const image: Image = {
  id: sha256('config'),
  config: {
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: [] },
    config: { Cmd: ['/bin/true'] },
  },
  manifest: sha256('manifest'),
  chainId: undefined,
  repoTags: ['busybox:latest'],
  repoDigests: [],
  sizeBytes: 0,
  parent: '',
  lastTaggedAt: '0001-01-01T00:00:00Z',
}

function fakeImages(unpacked: string[]): Images {
  const partial: Partial<Images> = {
    resolve: async (reference) => {
      if (reference !== 'busybox' && reference !== image.id) throw notFound(`No such image: ${reference}`)
      return image
    },
    ensureUnpacked: async ({ id }) => void unpacked.push(id),
    list: async () => [image],
    onUseQuery: () => {},
  }
  return partial as Images
}

function fakeSnapshots(mounted: Set<string>, prepared: Set<string>, directory: string): Snapshots {
  const partial: Partial<Snapshots> = {
    driver: 'fake',
    prepare: async (key) => void prepared.add(key),
    mount: (key) => {
      mounted.add(key)
      return directory
    },
    unmount: async (key) => void mounted.delete(key),
    isMounted: (key) => mounted.has(key),
    listActive: () => [...prepared],
    remove: async (key) => {
      mounted.delete(key)
      prepared.delete(key)
    },
    usage: async () => 7,
    directories: () => ({}),
  }
  return partial as Snapshots
}

function fakeVolumes(): Volumes {
  const partial: Partial<Volumes> = {
    keep: (_, record) => record(),
    drop: async () => {},
    unmountAll: async () => {},
    reconcile: async () => {},
    onUseQuery: () => {},
  }
  return partial as Volumes
}

function fakeNetworks(attached: Set<string>, directory: string): Networks {
  const attachment: Attachment = {
    netnsPath: undefined,
    hostsPath: join(directory, 'hosts'),
    hostnamePath: join(directory, 'hostname'),
    resolvConfPath: join(directory, 'resolv.conf'),
    sandboxId: 'a',
    sandboxKey: '/run/a',
    endpoints: {},
    ports: {},
    interfaces: [],
  }
  /** Of who was attached last. */
  let ports: Attachment['ports'] = {}
  const partial: Partial<Networks> = {
    attach: async ({ containerId, portBindings }) => {
      attached.add(containerId)
      ports = portBindings
      return { ...attachment, ports }
    },
    detach: async (id) => void attached.delete(id),
    reconcile: async () => {},
    get: (ref) => {
      throw notFound(`network ${ref} not found`)
    },
    checkMember: () => {},
    checkConfig: () => {},
    rename: () => {},
    updateLink: () => {},
    removeLink: () => {},
    attachment: (id) => (attached.has(id) ? { ...attachment, ports } : undefined),
  }
  return partial as Networks
}
