import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { after, afterEach, beforeEach, test } from 'node:test'
import { silentLogger } from '@berth/base'
import { loadRuleset } from '@berth/linux'
import { buildRuleset } from './build-ruleset.ts'
import { type Firewall, openFirewall } from './firewall.ts'
import { rulesets } from './fixtures.ts'
import type { NetworkRules, PublishedPort } from './rules.ts'

const list = (): string => execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' })
const network: NetworkRules = {
  bridge: 'berth0',
  ipv4: { subnets: ['172.17.0.0/16'], gatewayMode: 'nat', masquerade: true },
  icc: true,
  isInternal: false,
}
const port = (hostPort: number, hostIp = '0.0.0.0'): PublishedPort => ({
  protocol: 'tcp',
  hostIp,
  hostPort,
  containerIp: '172.17.0.2',
  containerPort: 80,
  via: 'nat',
})

let firewall: Firewall
beforeEach(async () => {
  firewall = await openFirewall({ logger: silentLogger, networks: [network], guards: [], ports: [port(1)] })
})
afterEach(async () => {
  await firewall.remove()
  await firewall[Symbol.asyncDispose]()
  assert.equal(list(), '')
})
after(() => execFileSync('nft', ['flush', 'ruleset']))

test('buildRuleset() writes for every combination what the kernel takes, twice', async () => {
  for (const input of Object.values(rulesets)) {
    await loadRuleset(buildRuleset(input))
    await loadRuleset(buildRuleset(input))
  }
})

test('publish(), guard() and link() say to the kernel what a reload of the text says', async () => {
  const ports = [port(2), port(3, '127.0.0.1'), { ...port(4), via: 'routed' as const }]
  await firewall.publish(ports)
  const guard = { hostLink: 'veth1', mac: '02:42:ac:11:00:02', addresses: ['172.17.0.2', 'fd00::2'], icc: false }
  firewall.guard({ ...guard, addresses: ['172.17.0.9'] })
  firewall.guard(guard)
  firewall.link([{ from: '172.17.0.3', to: '172.17.0.2', protocol: 'udp', port: 53 }])
  const said = list()
  assert.doesNotMatch(said, /172\.17\.0\.9/)
  await firewall.setNetworks([network])
  assert.equal(list(), said)
  await firewall.unpublish(ports)
  await firewall.unpublish(ports)
  firewall.unguard('veth1')
  firewall.unlink([{ from: '172.17.0.3', to: '172.17.0.2', protocol: 'udp', port: 53 }])
  assert.deepEqual(list().match(/elements = .*/g), ['elements = { tcp . 1 : 172.17.0.2 . 80 }'])
})

test('withdraw() takes away all that one container has, and nothing twice', async () => {
  const before = list()
  const guard = { mac: '02:42:ac:11:00:02', addresses: ['172.17.0.2'], icc: false }
  const links = [{ from: '172.17.0.3', to: '172.17.0.2', protocol: 'tcp', port: 80 }] as const
  const held = { ports: [port(2), port(3, '127.0.0.1')], links, hostLinks: ['veth1'] }
  await firewall.publish(held.ports)
  firewall.link(links)
  firewall.guard({ ...guard, hostLink: 'veth2' })
  const others = list()
  firewall.guard({ ...guard, hostLink: 'veth1' })
  await firewall.withdraw({ ports: [], links: [], hostLinks: ['veth1'] })
  assert.equal(list(), others)
  await firewall.withdraw({ ...held, hostLinks: ['veth1', 'veth2'] })
  await firewall.withdraw(held)
  assert.equal(list(), before)
})

test('publish() takes ten thousand ports, and what comes during setNetworks() is not lost', async () => {
  const many = Array.from({ length: 10_000 }, (_, index) => port(20_000 + index))
  await firewall.publish(many)
  const change = firewall.setNetworks([])
  await Promise.all([firewall.publish([port(5)]), firewall.unpublish([port(1)])])
  await change
  const text = list()
  assert.match(text, /tcp \. 5 : /)
  assert.doesNotMatch(text, /tcp \. 1 : /)
  assert.equal(text.match(/tcp \. 2\d{4} : /g)?.length, 10_000)
  await firewall.unpublish(many)
})

test('the tables come back, whole, when somebody flushes all rules or breaks ours, and nobody else’s is touched', async () => {
  const whole = list()
  for (const script of ['flush ruleset', 'delete table bridge berth', 'flush chain inet berth forward']) {
    await loadRuleset(`${script}\ntable inet host { }\n`)
    const isWhole = () => list().replace('table inet host {\n}\n', '') === whole
    for (const deadline = Date.now() + 5000; !isWhole() && Date.now() < deadline;) await delay(5)
    assert.ok(isWhole(), script)
    assert.match(list(), /table inet host/)
    await loadRuleset('delete table inet host')
  }
})

test('setNetworks() refuses what nft refuses and keeps what was', async () => {
  const before = list()
  const ipv4 = { subnets: ['nonsense'], gatewayMode: 'nat', masquerade: true } as const
  await assert.rejects(firewall.setNetworks([{ ...network, ipv4 }]))
  assert.equal(list(), before)
  await firewall.setNetworks([network])
  assert.equal(list(), before)
})

/** As a kernel without nf_tables for bridges answers. */
const withoutBridges: typeof loadRuleset = async (script, started) => {
  if (script.includes('table bridge')) throw new Error('nft: Could not process rule: Operation not supported')
  await loadRuleset(script, started)
}

test('openFirewall() on a kernel without nf_tables for bridges does without the frames, but not with icc=false', async () => {
  await firewall.remove()
  await firewall[Symbol.asyncDispose]()
  const warnings: string[] = []
  const logger = { ...silentLogger, warn: (_: object, message: string) => void warnings.push(message) }
  const options = { logger, guards: [], ports: [], run: withoutBridges }
  await assert.rejects(openFirewall({ ...options, networks: [{ ...network, icc: false }] }), {
    kind: 'unavailable',
    message: 'icc=false needs a kernel with nf_tables for bridges (CONFIG_NF_TABLES_BRIDGE)',
  })
  firewall = await openFirewall({ ...options, networks: [network] })
  firewall.guard({ hostLink: 'veth1', mac: '02:42:ac:11:00:02', addresses: ['172.17.0.2'], icc: true })
  await firewall.publish([port(7)])
  assert.match(list(), /tcp \. 7 : 172\.17\.0\.2 \. 80/)
  assert.doesNotMatch(list(), /table bridge/)
  assert.match(warnings.join(), /no nf_tables for bridges/)
  await assert.rejects(firewall.setNetworks([{ ...network, icc: false }]), { kind: 'unavailable' })
})

test('openFirewall() says what nft says where the kernel is not to blame', async () => {
  const run = async () => Promise.reject(new Error('nft: out of order'))
  await assert.rejects(openFirewall({ logger: silentLogger, networks: [], guards: [], ports: [], run }), /out of order/)
})
