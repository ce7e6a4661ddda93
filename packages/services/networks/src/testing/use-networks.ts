import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, afterEach, beforeEach } from 'node:test'
import { silentLogger } from '@berth/base'
import { type Database, openDatabase } from '@berth/database'
import { decodeNetworkCreate, emptyEndpoint, type EndpointSettings } from '@berth/engine-api'
import { createEvents, type Events } from '@berth/events'
import { RouteRequest, RouteSocket } from '@berth/linux'
import { mountPoints, mountsSince } from '@berth/testing'
import type { AttachRequest, Networks } from '../networks.ts'
import { type NetworksOptions, openNetworks } from '../open-networks.ts'
import { buildAttachRequest } from './attach-request.ts'

/** The networks of one test, on the real kernel in the test file's own namespaces. */
export interface TestNetworks {
  /** Of the host's namespace. */
  readonly host: RouteSocket
  readonly root: string
  readonly database: Database
  readonly events: Events
  networks: Networks
  open(options?: Partial<NetworksOptions>): Promise<Networks>
  /** Leaves the open ones as a killed process would, and opens what its successor finds. */
  reopen(options?: Partial<NetworksOptions>): Promise<Networks>
  /** Closes the open ones, and opens what its successor finds. */
  restart(options?: Partial<NetworksOptions>): Promise<Networks>
  /** Makes a network from the body of a request. */
  create(body: Record<string, unknown>): Promise<string>
  request(wanted?: Partial<AttachRequest>): AttachRequest
}

/** Registers hooks that open the networks before each test, and see after it that nothing is left of them. */
export function useNetworks(): TestNetworks {
  const host = new RouteSocket()
  // A new network namespace has its loopback down.
  host.send(new RouteRequest().setUp(1), 'set up lo')
  after(() => host[Symbol.dispose]())
  let mountsBefore: readonly string[] = []
  const opened: Networks[] = []
  const test: TestNetworks = {
    host,
    root: '',
    database: undefined as unknown as Database,
    events: createEvents(),
    networks: undefined as unknown as Networks,
    async open(options = {}) {
      const { root: runRoot, database, events } = test
      const networks = await openNetworks({ database, runRoot, logger: silentLogger, events, ...options })
      opened.push(networks)
      return networks
    },
    async reopen(options = {}) {
      test.networks = await test.open(options)
      return test.networks
    },
    async restart(options = {}) {
      opened.splice(opened.indexOf(test.networks), 1)
      await test.networks[Symbol.asyncDispose]()
      return await test.reopen(options)
    },
    create: (body) => test.networks.create(decodeNetworkCreate(body, 51)),
    request: (wanted = {}) => buildAttachRequest(test.root, wanted),
  }
  beforeEach(async () => {
    mountsBefore = mountPoints()
    Object.assign(test, { root: mkdtempSync(join(tmpdir(), 'berth-networks-')), database: openDatabase(':memory:') })
    await test.reopen()
  })
  afterEach(async () => {
    await test.networks.reconcile([])
    for (const other of opened.splice(0)) if (other !== test.networks) await other[Symbol.asyncDispose]()
    await test.networks[Symbol.asyncDispose]()
    test.database[Symbol.dispose]()
    assert.deepEqual(mountsSince(mountsBefore), [])
    for (const folder of ['netns', 'networks']) assert.deepEqual(readdirSync(join(test.root, folder)), [])
    rmSync(test.root, { recursive: true })
    await onlyLoopback(host)
    assert.equal(await output('nft', ['list', 'ruleset']), '')
  })
  return test
}

/** The kernel removes a dropped namespace's links a little later. */
export async function onlyLoopback(host: RouteSocket): Promise<void> {
  const names = () => host.links().map(({ name }) => name)
  for (const deadline = Date.now() + 5000; names().length > 1 && Date.now() < deadline;) await turn()
  assert.deepEqual(names(), ['lo'])
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

export const endpoint = (wanted: Partial<EndpointSettings> = {}): EndpointSettings => ({
  ...emptyEndpoint(),
  ...wanted,
})

export async function output(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  return out + err
}

/** What a command prints inside a namespace. */
export const inside = (netns: string | undefined, ...command: string[]): Promise<string> =>
  output('nsenter', [`--net=${netns}`, ...command])
