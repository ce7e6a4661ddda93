// Hosts with firewalls of their own, each with an engine, and a neighbour that asks from outside.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before } from 'node:test'
import {
  Cli,
  connectNeighbour,
  loadFixture,
  type Neighbour,
  neighbourhood,
  runInside,
  startDaemon,
  type TestDaemon,
  until,
} from '@berth/testing'

/** A host whose engine runs, and who asks it from outside. */
export interface FirewallHost {
  readonly daemon: TestDaemon
  readonly neighbour: Neighbour
  readonly cli: Cli
}

export interface FirewallHosts {
  /** For files of the tests. */
  readonly folder: string
  readonly usual: FirewallHost
  /** Its engine publishes behind its firewall. */
  readonly behind: FirewallHost
}

/** The hosts of a file's tests, there once these run: without containers and rules after each test, gone after the last. */
export function useFirewallHosts(): FirewallHosts {
  const folder = mkdtempSync(join(tmpdir(), 'berth-test-'))
  const made: FirewallHost[] = []
  const make = async (...args: string[]) => {
    const host = await makeHost(folder, args)
    made.push(host)
    return host
  }
  const hosts = { folder } as { -readonly [Name in keyof FirewallHosts]: FirewallHosts[Name] }
  before(async () => {
    hosts.usual = await make()
    hosts.behind = await make('--publish-behind-firewall')
  })
  afterEach(() => Promise.all(made.map(clear)))
  after(async () => {
    for (const { neighbour, daemon } of made) {
      await neighbour[Symbol.asyncDispose]()
      await daemon[Symbol.asyncDispose]()
    }
    rmSync(folder, { recursive: true })
  })
  return hosts
}

async function makeHost(folder: string, args: readonly string[]): Promise<FirewallHost> {
  const daemon = await startDaemon({ args: [...args] })
  await loadFixture(daemon.api, 'busybox')
  const cli = new Cli('docker', { host: daemon.host, api: daemon.api, daemon, folder, name: () => 'one' })
  return { daemon, cli, neighbour: await connectNeighbour(daemon.sandbox) }
}

async function clear({ cli, daemon }: FirewallHost): Promise<void> {
  const containers = await cli.ok('ps', '-aq')
  if (containers !== '') await cli.ok('rm', '-f', ...containers.split('\n'))
  await runInside(daemon.sandbox, 'nft', 'flush', 'ruleset')
}

/** Runs a program on the host, which must have nothing to say. */
export async function silently({ daemon }: FirewallHost, ...argv: string[]): Promise<void> {
  assert.equal(await runInside(daemon.sandbox, ...argv), '')
}

/** Starts a server that says `inside`, published as `port`. */
export const serve = ({ cli }: FirewallHost, port: string): Promise<string> =>
  cli.ok('run', '-d', '-p', port, 'busybox', 'nc', '-ll', '-p', '80', '-e', 'echo', 'inside')

/** What a port of the host's answers to its neighbour; '' where it is closed. */
export const fromOutside = ({ neighbour }: FirewallHost, port: number): Promise<string> =>
  neighbour.ask(neighbourhood.host, port)

/** The same to the host itself. */
export const fromHost = ({ daemon }: FirewallHost, port: number): Promise<string> =>
  runInside(daemon.sandbox, 'sh', '-c', `busybox nc -w 1 127.0.0.1 ${port} < /dev/null; true`)

/** Waits until the server answers. */
export const opens = (ask: () => Promise<string>): Promise<unknown> => until(async () => (await ask()) === 'inside')

/** Whether a container reaches the neighbour. */
export const reachesOut = async ({ cli }: FirewallHost): Promise<boolean> =>
  (await cli.run(['run', '--rm', 'busybox', 'ping', '-c1', '-W1', neighbourhood.neighbour])).code === 0

/** The warnings of the engine's `info`, as JSON. */
export async function warnings({ daemon }: FirewallHost): Promise<string> {
  return JSON.stringify(((await daemon.api.json('GET', '/info')) as { Warnings: unknown }).Warnings)
}
