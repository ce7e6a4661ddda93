// Beside whole rule sets of others, in the shapes that ufw, firewalld and nftables.service load them, and their reloads.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
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

/** Loads a file of rules as the boot scripts of distributions do. */
async function load(host: FirewallHost, program: readonly string[], text: string): Promise<void> {
  const file = join(hosts.folder, 'rules')
  writeFileSync(file, text)
  await silently(host, ...program, file)
}

/** What ufw's `enable` and `reload` load, its longer tails left out; `user` is what `ufw allow` has collected. */
const ufw = ({ input = [], forward = [] }: { readonly input?: string[]; readonly forward?: string[] }) =>
  [
    '*filter',
    ':INPUT DROP [0:0]',
    ':FORWARD DROP [0:0]',
    ':OUTPUT ACCEPT [0:0]',
    ...['before-input', 'user-input', 'reject-input', 'before-forward', 'user-forward'].map((c) => `:ufw-${c} - [0:0]`),
    '-A INPUT -j ufw-before-input',
    '-A INPUT -j ufw-reject-input',
    '-A FORWARD -j ufw-before-forward',
    '-A ufw-before-input -i lo -j ACCEPT',
    '-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    '-A ufw-before-input -m conntrack --ctstate INVALID -j DROP',
    '-A ufw-before-input -j ufw-user-input',
    '-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    '-A ufw-before-forward -j ufw-user-forward',
    ...input.map((rule) => `-A ufw-user-input ${rule}`),
    ...forward.map((rule) => `-A ufw-user-forward ${rule}`),
    'COMMIT',
    '',
  ].join('\n')

/** The table that firewalld loads, in one transaction with the end of its predecessor; zone public everywhere. */
const firewalld = ({
  ports = 'continue',
  forward = 'continue',
}: {
  readonly ports?: string
  readonly forward?: string
}) => `
table inet firewalld
delete table inet firewalld
table inet firewalld {
  chain filter_INPUT {
    type filter hook input priority filter + 10; policy accept;
    ct state { established, related } accept
    ct status dnat accept
    iifname "lo" accept
    ct state invalid drop
    jump filter_INPUT_ZONES
    reject with icmpx admin-prohibited
  }
  chain filter_FORWARD {
    type filter hook forward priority filter + 10; policy accept;
    ct state { established, related } accept
    ct status dnat accept
    iifname "lo" accept
    ct state invalid drop
    jump filter_FORWARD_ZONES
    reject with icmpx admin-prohibited
  }
  chain filter_INPUT_ZONES { goto filter_IN_public; }
  chain filter_IN_public { jump filter_IN_public_allow; }
  chain filter_IN_public_allow { tcp dport 22 accept; ${ports}; }
  chain filter_FORWARD_ZONES { ${forward}; }
}
`

const allowed = (port: number) => `-p tcp --dport ${port} -j ACCEPT`
const bridged = ['-i berth0 -j ACCEPT', '-o berth0 -j ACCEPT']

test('ufw: its routed rules open the bridges, and after its reloads a port of 127.0.0.1 is closed to others', async () => {
  const { usual } = hosts
  await serve(usual, '18070:80')
  await serve(usual, '127.0.0.1:18071:80')
  await load(usual, ['iptables-restore'], ufw({}))
  assert.match(await warnings(usual), /ip filter FORWARD/)
  assert.equal(await fromOutside(usual, 18070), '')
  for (let reload = 0; reload < 2; reload++) {
    await load(usual, ['iptables-restore'], ufw({ forward: bridged }))
    await opens(() => fromOutside(usual, 18070))
    await opens(() => fromHost(usual, 18071))
    assert.equal(await warnings(usual), 'null')
    assert.equal(await fromOutside(usual, 18071), '')
    for (const container of ['172.17.0.2', '172.17.0.3']) assert.equal(await usual.neighbour.ask(container, 80), '')
    assert.equal(await reachesOut(usual), true)
  }
})

test('nftables.service: a flush of all rules and a load of the host’s own leave published what is, and closed the rest', async () => {
  const { usual } = hosts
  await serve(usual, '18072:80')
  await serve(usual, '127.0.0.1:18073:80')
  const own =
    'flush ruleset\ntable inet filter { chain input { type filter hook input priority filter; policy accept; }; }\n'
  for (let reload = 0; reload < 3; reload++) {
    await load(usual, ['nft', '-f'], own)
    await opens(() => fromOutside(usual, 18072))
    assert.equal(await fromHost(usual, 18073), 'inside')
    assert.equal(await fromOutside(usual, 18073), '')
    for (const container of ['172.17.0.2', '172.17.0.3']) assert.equal(await usual.neighbour.ask(container, 80), '')
    assert.equal(await reachesOut(usual), true)
    const tables = await runInside(usual.daemon.sandbox, 'nft', 'list', 'tables')
    assert.deepEqual(tables.split('\n').toSorted(), ['table bridge berth', 'table inet berth', 'table inet filter'])
  }
})

test('firewalld: published ports pass by their translation; info tells that containers reach nobody, until a zone has them', async () => {
  const { usual } = hosts
  await serve(usual, '18074:80')
  await load(usual, ['nft', '-f'], firewalld({}))
  await opens(() => fromOutside(usual, 18074))
  assert.equal(await reachesOut(usual), false)
  assert.match(await warnings(usual), /the chain \\"inet firewalld filter_FORWARD\\" of the host's firewall drops/)
  await load(usual, ['nft', '-f'], firewalld({ forward: 'iifname "berth0" accept' }))
  assert.equal(await reachesOut(usual), true)
  assert.equal(await warnings(usual), 'null')
  await opens(() => fromOutside(usual, 18074))
})

test('--publish-behind-firewall with ufw: open after `ufw allow`, closed again after its reload without', async () => {
  const { behind } = hosts
  await serve(behind, '18075:80')
  await load(behind, ['iptables-restore'], ufw({}))
  assert.equal(await fromOutside(behind, 18075), '', 'published, but not allowed')
  assert.equal(await fromHost(behind, 18075), 'inside')
  await load(behind, ['iptables-restore'], ufw({ input: [allowed(18075)] }))
  await opens(() => fromOutside(behind, 18075))
  await load(behind, ['iptables-restore'], ufw({ input: [allowed(22)] }))
  assert.equal(await fromOutside(behind, 18075), '')
})

test('--publish-behind-firewall with firewalld: the zone decides, after reloads too', async () => {
  const { behind } = hosts
  await serve(behind, '18076:80')
  await load(behind, ['nft', '-f'], firewalld({}))
  assert.equal(await fromOutside(behind, 18076), '', 'published, but not allowed')
  assert.equal(await fromHost(behind, 18076), 'inside')
  for (let reload = 0; reload < 2; reload++) {
    await load(behind, ['nft', '-f'], firewalld({ ports: 'tcp dport 18076 accept' }))
    await opens(() => fromOutside(behind, 18076))
  }
  await load(behind, ['nft', '-f'], `flush ruleset\n${firewalld({})}`)
  assert.equal(await fromOutside(behind, 18076), '')
})
