// Beside the host's own firewall: iptables-nft, as ufw, firewalld and dockerd drive it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
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

let usual: TestDaemon
let behind: TestDaemon
const neighbours = new Map<TestDaemon, Neighbour>()
before(async () => {
  usual = await startDaemon()
  behind = await startDaemon({ args: ['--publish-behind-firewall'] })
  for (const daemon of [usual, behind]) {
    await loadFixture(daemon.api, 'busybox')
    neighbours.set(daemon, await connectNeighbour(daemon.sandbox))
  }
})
after(async () => {
  for (const neighbour of neighbours.values()) await neighbour[Symbol.asyncDispose]()
  for (const daemon of [usual, behind]) await daemon?.[Symbol.asyncDispose]()
})

const folder = mkdtempSync(join(tmpdir(), 'berth-test-'))
after(() => rmSync(folder, { recursive: true }))
const cliOf = (daemon: TestDaemon): Cli =>
  new Cli('docker', { host: daemon.host, api: daemon.api, daemon, folder, name: () => 'one' })

const iptables = async (daemon: TestDaemon, ...rule: string[]): Promise<void> =>
  assert.equal(await runInside(daemon.sandbox, 'iptables', ...rule), '')

async function serve(daemon: TestDaemon, port: string): Promise<string> {
  const cli = cliOf(daemon)
  return await cli.ok('run', '-d', '-p', port, 'busybox', 'nc', '-ll', '-p', '80', '-e', 'echo', 'inside')
}

const reachesOut = async (daemon: TestDaemon): Promise<boolean> => {
  const ping = ['run', '--rm', 'busybox', 'ping', '-c1', '-W1', neighbourhood.neighbour]
  return (await cliOf(daemon).run(ping)).code === 0
}

const warnings = async (daemon: TestDaemon): Promise<string> =>
  JSON.stringify(((await daemon.api.json('GET', '/info')) as { Warnings: unknown }).Warnings)

test('rules of iptables-nft stay as they are, and work beside the engine’s', async () => {
  const neighbour = neighbours.get(usual)!
  await iptables(usual, '-t', 'nat', '-A', 'POSTROUTING', '-s', '198.51.100.0/24', '-j', 'MASQUERADE')
  await iptables(usual, '-A', 'INPUT', '-p', 'tcp', '--dport', '18061', '-j', 'DROP')
  const before = await runInside(usual.sandbox, 'iptables-save')
  const id = await serve(usual, '18060:80')
  await until(async () => (await neighbour.ask(neighbourhood.host, 18060)) === 'inside')
  assert.equal(await reachesOut(usual), true)
  const strip = (text: string) => text.replaceAll(/^#.*$|\[\d+:\d+\]/gm, '')
  assert.equal(strip(await runInside(usual.sandbox, 'iptables-save')), strip(before))
  assert.equal(await warnings(usual), 'null')
  await cliOf(usual).ok('rm', '-f', id)
})

test('a host that drops what is forwarded is told of in info, until its rules accept the engine’s bridges', async () => {
  const neighbour = neighbours.get(usual)!
  const id = await serve(usual, '18062:80')
  await until(async () => (await neighbour.ask(neighbourhood.host, 18062)) === 'inside')
  await iptables(usual, '-P', 'FORWARD', 'DROP')
  assert.equal(await neighbour.ask(neighbourhood.host, 18062), '')
  assert.match(await warnings(usual), /the chain \\"ip filter FORWARD\\" of the host's firewall drops .* berth0/)
  // As docs/networks.md has it, with dockerd's chain for rules of users.
  await iptables(usual, '-N', 'DOCKER-USER')
  await iptables(usual, '-I', 'FORWARD', '-j', 'DOCKER-USER')
  await iptables(usual, '-I', 'DOCKER-USER', '-i', 'berth0', '-j', 'ACCEPT')
  await iptables(usual, '-I', 'DOCKER-USER', '-o', 'berth0', '-j', 'ACCEPT')
  assert.equal(await warnings(usual), 'null')
  assert.equal(await neighbour.ask(neighbourhood.host, 18062), 'inside')
  assert.equal(await reachesOut(usual), true)
  assert.equal(await neighbour.ask('172.17.0.2', 80), '', 'what is not published stays closed')
  await cliOf(usual).ok('rm', '-f', id)
})

test('with --publish-behind-firewall a port is open where it is published and the host’s filter accepts it', async () => {
  const neighbour = neighbours.get(behind)!
  await iptables(behind, '-P', 'INPUT', 'DROP')
  await iptables(behind, '-P', 'FORWARD', 'DROP')
  await iptables(behind, '-A', 'INPUT', '-i', 'lo', '-j', 'ACCEPT')
  await iptables(behind, '-A', 'INPUT', '-m', 'conntrack', '--ctstate', 'ESTABLISHED,RELATED', '-j', 'ACCEPT')
  const id = await serve(behind, '18063:80')
  assert.equal(await neighbour.ask(neighbourhood.host, 18063), '', 'published, but not allowed')
  await iptables(behind, '-A', 'INPUT', '-p', 'tcp', '--dport', '18063', '-j', 'ACCEPT')
  await until(async () => (await neighbour.ask(neighbourhood.host, 18063)) === 'inside')
  const local = ['sh', '-c', 'busybox nc -w 1 127.0.0.1 18063 < /dev/null']
  assert.equal(await runInside(behind.sandbox, ...local), 'inside')
  await cliOf(behind).ok('rm', '-f', id)
  assert.equal(await neighbour.ask(neighbourhood.host, 18063), '', 'allowed, but not published')
})
