// Beside the host's own firewall: iptables-nft, as ufw, firewalld and dockerd drive it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInside } from '@berth/testing'
import {
  type FirewallHost,
  fromHost,
  fromOutside,
  opens,
  reachesOut,
  serve,
  silently,
  useFirewallHosts,
  warnings,
} from './firewall-host.ts'

const hosts = useFirewallHosts()

const iptables = (host: FirewallHost, ...rule: string[]): Promise<void> => silently(host, 'iptables', ...rule)

test('rules of iptables-nft stay as they are, and work beside the engine’s', async () => {
  const { usual } = hosts
  await iptables(usual, '-t', 'nat', '-A', 'POSTROUTING', '-s', '198.51.100.0/24', '-j', 'MASQUERADE')
  await iptables(usual, '-A', 'INPUT', '-p', 'tcp', '--dport', '18061', '-j', 'DROP')
  const before = await runInside(usual.daemon.sandbox, 'iptables-save')
  const id = await serve(usual, '18060:80')
  await opens(() => fromOutside(usual, 18060))
  assert.equal(await reachesOut(usual), true)
  const strip = (text: string) => text.replaceAll(/^#.*$|\[\d+:\d+\]/gm, '')
  assert.equal(strip(await runInside(usual.daemon.sandbox, 'iptables-save')), strip(before))
  assert.equal(await warnings(usual), 'null')
  await usual.cli.ok('rm', '-f', id)
})

test('a host that drops what is forwarded is told of in info, until its rules accept the engine’s bridges', async () => {
  const { usual } = hosts
  const id = await serve(usual, '18062:80')
  await opens(() => fromOutside(usual, 18062))
  await iptables(usual, '-P', 'FORWARD', 'DROP')
  assert.equal(await fromOutside(usual, 18062), '')
  assert.match(await warnings(usual), /the chain \\"ip filter FORWARD\\" of the host's firewall drops .* berth0/)
  // As docs/networks.md has it, with dockerd's chain for rules of users.
  await iptables(usual, '-N', 'DOCKER-USER')
  await iptables(usual, '-I', 'FORWARD', '-j', 'DOCKER-USER')
  await iptables(usual, '-I', 'DOCKER-USER', '-i', 'berth0', '-j', 'ACCEPT')
  await iptables(usual, '-I', 'DOCKER-USER', '-o', 'berth0', '-j', 'ACCEPT')
  assert.equal(await warnings(usual), 'null')
  assert.equal(await fromOutside(usual, 18062), 'inside')
  assert.equal(await reachesOut(usual), true)
  assert.equal(await usual.neighbour.ask('172.17.0.2', 80), '', 'what is not published stays closed')
  await usual.cli.ok('rm', '-f', id)
})

test('with --publish-behind-firewall a port is open where it is published and the host’s filter accepts it', async () => {
  const { behind } = hosts
  await iptables(behind, '-P', 'INPUT', 'DROP')
  await iptables(behind, '-P', 'FORWARD', 'DROP')
  await iptables(behind, '-A', 'INPUT', '-i', 'lo', '-j', 'ACCEPT')
  await iptables(behind, '-A', 'INPUT', '-m', 'conntrack', '--ctstate', 'ESTABLISHED,RELATED', '-j', 'ACCEPT')
  const id = await serve(behind, '18063:80')
  assert.equal(await fromOutside(behind, 18063), '', 'published, but not allowed')
  await iptables(behind, '-A', 'INPUT', '-p', 'tcp', '--dport', '18063', '-j', 'ACCEPT')
  await opens(() => fromOutside(behind, 18063))
  assert.equal(await fromHost(behind, 18063), 'inside')
  await behind.cli.ok('rm', '-f', id)
  assert.equal(await fromOutside(behind, 18063), '', 'allowed, but not published')
})
