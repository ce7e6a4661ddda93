import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Config } from './config/config.ts'
import { parseFlags } from './config/flags.ts'
import { networkSettings } from './network-settings.ts'

const settings = (...flags: string[]) => networkSettings(new Config(parseFlags(flags).values))

test('networkSettings() takes addresses one to a flag or several', () => {
  assert.deepEqual(settings('--dns', '192.0.2.1,2001:db8::1', '--dns', '192.0.2.2').dns, [
    '192.0.2.1',
    '2001:db8::1',
    '192.0.2.2',
  ])
  assert.deepEqual(settings('--host-gateway-ip=192.0.2.9').hostGatewayIps, ['192.0.2.9'])
  assert.equal(settings().hostGatewayIps, undefined)
  assert.equal(settings('--ip=127.0.0.1').bindingIp, '127.0.0.1')
})

test('networkSettings() refuses what is no address, by the flag', () => {
  for (const flag of ['dns', 'host-gateway-ip', 'ip']) {
    const message = `invalid --${flag}: 300.1.1.1 is not an IP address`
    assert.throws(() => settings(`--${flag}=300.1.1.1`), { kind: 'invalid', message })
  }
})

test('networkSettings() takes search domains that are some', () => {
  const domains = ['example.com', 'a-b.example.', '.', ' x ', `${'a.'.repeat(126)}b`]
  assert.deepEqual(settings(...domains.map((domain) => `--dns-search=${domain}`)).dnsSearch, domains)
  for (const domain of ['a b', '', '..', '-a', 'a-', 'a..b', '1.2.3.4', 'a_b', 'a\nnameserver 1', 'a.'.repeat(150)]) {
    const message = `invalid --dns-search: ${domain} is not a valid domain`
    assert.throws(() => settings(`--dns-search=${domain}`), { kind: 'invalid', message })
  }
})

test('networkSettings() hands on how ports are published', () => {
  assert.deepEqual(settings('--iptables=false', '--allow-direct-routing', '--publish-behind-firewall').publishing, {
    iptables: false,
    ip6tables: true,
    userlandProxy: true,
    allowDirectRouting: true,
    behindHostFirewall: true,
  })
})
